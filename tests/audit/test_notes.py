"""Keys, signed notes and paths as C2SP writes them: with the examples of its documents and of Go's. Pure."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.notes import LogKey, checkpoint_text, format_key, sign_checkpoint
from governance.audit.stillwatch_verify import (
    LogFaultError,
    TileTree,
    UnknownKeyError,
    VerifierKey,
    key_id,
    number_path,
    open_checkpoint,
    split_bundle,
    tile_path,
)

# Of golang.org/x/mod/sumdb/note, whose format signed-note describes.
SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SUM_DATABASE = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
ROOT = bytes(range(32))
SEED, OTHER_SEED = (base64.urlsafe_b64encode(bytes([byte]) * 32).decode().rstrip("=") for byte in (1, 2))


def key(seed: str = SEED, name: str = "example.com/log") -> LogKey:
    return LogKey(name, seed)


def _other_last_bits(text: str) -> str:
    """Base64 of the same bytes, with other bits where none are left."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = text.rstrip("=")[-1]
    other = letters[letters.index(last) + 1]
    changed = text.rstrip("=")[:-1] + other + text[len(text.rstrip("=")) :]
    assert base64.b64decode(changed) == base64.b64decode(text)
    return changed


class TestAKey:
    def test_signs_as_go_does(self) -> None:
        seed = base64.urlsafe_b64encode(base64.b64decode(SIGNER[len("PRIVATE+KEY+PeterNeumann+c74f20a3+") :])[1:])
        theirs = LogKey("PeterNeumann", seed.decode())

        assert format_key(theirs.verifier) == VERIFIER
        assert theirs.sign(TEXT) == SIGNATURE

    @pytest.mark.parametrize("text", [VERIFIER, SUM_DATABASE])
    def test_is_read_as_it_is_written(self, text: str) -> None:
        assert format_key(VerifierKey.parse(f" {text}\n")) == text

    @pytest.mark.parametrize(
        "text", ["", "PeterNeumann", VERIFIER.replace("c74f", "c74e"), VERIFIER[:-4], VERIFIER.replace("+A", "+B")]
    )
    def test_is_refused_if_it_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="key"):
            VerifierKey.parse(text)

    @pytest.mark.parametrize(("name", "kind", "public"), [("", 1, 32), ("a", 3, 32), ("a", 1, 31), ("a", 4, 33)])
    def test_is_refused_if_its_id_fits_and_nothing_else_does(self, name: str, kind: int, public: int) -> None:
        text = format_key(VerifierKey(name, key_id(name, kind, bytes(public)), kind, bytes(public)))

        with pytest.raises(ValueError, match=r"is no key of the form name\+id\+key"):
            VerifierKey.parse(text)

    def test_may_be_that_of_a_witness(self) -> None:
        text = format_key(VerifierKey("a", key_id("a", 4, bytes(32)), 4, bytes(32)))

        assert VerifierKey.parse(text).kind == 4

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
    def test_needs_a_name_without_blanks_and_plus(self, name: str) -> None:
        with pytest.raises(ValueError, match="AUDIT_ORIGIN"):
            key(name=name)

    @pytest.mark.parametrize("seed", ["", "abc", SEED + "AAAA", "é"])
    def test_needs_32_bytes(self, seed: str) -> None:
        with pytest.raises(ValueError, match="AUDIT_KEY must hold 32 bytes"):
            key(seed)


class TestACheckpoint:
    def test_names_the_log_its_size_and_its_head(self) -> None:
        note = sign_checkpoint(20852163, ROOT, [key()])

        text, _, signature = note.partition("\n\n")
        assert text == f"example.com/log\n20852163\n{base64.b64encode(ROOT).decode()}"
        assert signature == key().sign(f"{text}\n")
        assert open_checkpoint(note, [key().verifier]) == ("example.com/log", 20852163, ROOT, {})

    def test_is_signed_by_every_key_while_one_follows_another(self) -> None:
        note = sign_checkpoint(7, ROOT, [key(OTHER_SEED), key()])

        assert open_checkpoint(note, [key().verifier]) == open_checkpoint(note, [key(OTHER_SEED).verifier])

    def test_by_an_unknown_key_is_refused(self) -> None:
        with pytest.raises(UnknownKeyError, match="none of the given keys"):
            open_checkpoint(sign_checkpoint(7, ROOT, [key()]), [key(OTHER_SEED).verifier])

    @pytest.mark.parametrize("change", [("\n7\n", "\n8\n"), ("AAEC", "AAED"), ("example.com/log\n7", "example.org\n7")])
    def test_that_was_changed_is_refused(self, change: tuple[str, str]) -> None:
        note = sign_checkpoint(7, ROOT, [key()]).replace(*change, 1)

        with pytest.raises(LogFaultError):
            open_checkpoint(note, [key().verifier])

    @pytest.mark.parametrize("note", ["", "a\n7\nb\n", "a\n\n— a b\n", "a\nseven\nb\n\n— a b\n"])
    def test_that_is_none_is_refused(self, note: str) -> None:
        with pytest.raises(LogFaultError, match="not written as one"):
            open_checkpoint(note, [key().verifier])

    @pytest.mark.parametrize("line", ["a\tb", "\x01", "\r", "\x1f"])
    def test_with_a_control_character_is_refused_whoever_signed_it(self, line: str) -> None:
        text = f"{checkpoint_text('example.com/log', 7, ROOT)}{line}\n"

        with pytest.raises(LogFaultError, match="not written as one"):
            open_checkpoint(f"{text}\n{key().sign(text)}", [key().verifier])

    def test_may_have_lines_behind_its_head(self) -> None:
        text = f"{checkpoint_text('example.com/log', 7, ROOT)}region eu\n"

        assert open_checkpoint(f"{text}\n{key().sign(text)}", [key().verifier]).root == ROOT

    def test_that_was_cut_off_is_refused(self) -> None:
        with pytest.raises(LogFaultError, match="not written as one"):
            open_checkpoint(sign_checkpoint(7, ROOT, [key()])[:-1], [key().verifier])

    @pytest.mark.parametrize(
        "change", [lambda text: f"{text[:40]}!{text[40:]}", lambda text: text + "=", _other_last_bits]
    )
    def test_has_one_spelling_of_each_signature(self, change: Callable[[str], str]) -> None:
        note = sign_checkpoint(7, ROOT, [key()])
        signature = note.rstrip("\n").rpartition(" ")[2]

        with pytest.raises(UnknownKeyError):
            open_checkpoint(note.replace(signature, change(signature)), [key().verifier])

    def test_tells_when_a_witness_signed_it(self) -> None:
        private = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
        public = private.public_key().public_bytes_raw()
        witness = VerifierKey("witness.example/w1", key_id("witness.example/w1", 4, public), 4, public)
        note, text = sign_checkpoint(7, ROOT, [key()]), checkpoint_text("example.com/log", 7, ROOT)
        signed = private.sign(f"cosignature/v1\ntime 1679315147\n{text}".encode())
        line = base64.b64encode(witness.key_id + (1679315147).to_bytes(8) + signed).decode()

        opened = open_checkpoint(f"{note}— witness.example/w1 {line}\n", [key().verifier, witness])

        assert opened.witnessed == {"witness.example/w1": 1679315147}
        with pytest.raises(LogFaultError, match=r"witness\.example/w1 is false"):
            open_checkpoint(f"{note}— witness.example/w1 {line[:-8]}AAAAAA==\n", [key().verifier, witness])


class TestAPath:
    @pytest.mark.parametrize(
        ("number", "path"), [(0, "000"), (7, "007"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
    )
    def test_has_three_digits_in_each_part(self, number: int, path: str) -> None:
        assert number_path(number) == path

    def test_says_how_wide_a_tile_is_that_is_not_full(self) -> None:
        assert tile_path(0, 273, 112) == "tile/0/273.p/112"
        assert tile_path("entries", 1000) == "tile/entries/x001/000"


def test_a_tree_of_70_000_entries_has_the_tiles_of_the_specification() -> None:
    tree, full = TileTree(), []
    for number in range(70_000):
        full += [(level, index) for level, index, _ in tree.append(number.to_bytes(32))]

    assert [*map(len, tree.levels)] == [112, 17, 1]
    assert [index for level, index in full if level == 0] == [*range(273)]
    assert [index for level, index in full if level == 1] == [0]


def test_a_bundle_has_the_length_before_each_entry() -> None:
    assert split_bundle(b"\0\1a\0\0\1\0" + b"b" * 256) == [b"a", b"", b"b" * 256]
    assert split_bundle(b"\0\3ab") == [b"ab"]
