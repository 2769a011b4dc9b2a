"""What the program of outsiders says of a folder, whole or changed: which entry is the first that is bad. Pure."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from governance.audit.notes import LogKey, format_key, sign_checkpoint
from governance.audit.stillwatch_verify import LogFaultError, TileTree, main, tree_head, verify_folder
from tests.audit.mutations import make_log, publish_to_folder

KEY: Final = LogKey("log.example.com", "B" * 43)
OTHER: Final = LogKey("other.example.com", "B" * 43)
SECOND: Final = LogKey("log.example.com", "C" * 43)
LOG: Final = make_log(300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """300 entries with a checkpoint of 200 and one of all."""
    publish_to_folder(LOG, tmp_path / "log", [KEY], sizes=[200, 300])
    return tmp_path / "log"


def fault(folder: Path, *kept: str) -> tuple[str, int | None]:
    with pytest.raises(LogFaultError) as found:
        verify_folder(folder, [KEY.verifier], kept)
    return str(found.value), found.value.first


def change(path: str, make: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / path).write_bytes(make((folder / path).read_bytes()))

    return apply


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


class TestAWholeFolder:
    def test_is_counted(self, folder: Path) -> None:
        assert verify_folder(folder, [KEY.verifier]) == (300, 2, 0)

    def test_may_hold_checkpoints_of_a_key_that_is_not_given(self, folder: Path) -> None:
        for size in (240, 250):
            (folder / f"checkpoints/{size}").write_text(sign_checkpoint(size, bytes(32), [SECOND]))

        assert verify_folder(folder, [KEY.verifier]) == (300, 2, 2)

    def test_may_hold_signatures_and_stamps_beside_checkpoints(self, folder: Path) -> None:
        for name in ("200.witnessed", "200.tsr"):
            (folder / "checkpoints" / name).write_text("x")

        assert verify_folder(folder, [KEY.verifier]) == (300, 2, 0)

    def test_fits_a_checkpoint_that_was_kept(self, folder: Path) -> None:
        kept = (folder / "checkpoints/200").read_text()

        assert verify_folder(folder, [KEY.verifier], [kept]) == (300, 2, 0)

    def test_of_no_more_than_whole_tiles_fits(self, tmp_path: Path) -> None:
        publish_to_folder(LOG, tmp_path, [KEY], sizes=[256])

        assert verify_folder(tmp_path, [KEY.verifier]) == (256, 1, 0)


class TestAChangedFolder:
    @pytest.mark.parametrize(
        ("apply", "said", "first"),
        [
            (change("tile/entries/000", flip(5)), "entry 1 is not the one that was published", 1),
            (change("tile/entries/001.p/44", flip(5)), "entry 257 is not the one that was published", 257),
            (change("tile/0/000", flip(32)), "entry 2 is not the one that was published", 2),
            (change("tile/1/000.p/1", flip(0)), "entries 1 to 256 are not those of tile/1/000.p/1", 1),
            (change("tile/1/000.p/1", lambda tile: tile + b"x"), "tile/1/000.p/1 is too long", None),
            (change("tile/0/001.p/44", lambda tile: tile + b"x"), "tile/0/001.p/44 is too long", None),
            (
                change("tile/entries/001.p/44", lambda bundle: bundle + b"\\0\\1x"),
                "after entry 300 some are missing or too many",
                301,
            ),
            (change("tile/entries/001.p/44", lambda _: b""), "after entry 256 some are missing or too many", 257),
            (change("checkpoint", lambda _: b"x"), "a checkpoint is not written as one", None),
            (change("checkpoint", flip(17)), "a signature of log.example.com is false", None),
            (
                lambda folder: (folder / "tile/entries/001.p/44").unlink(),
                "tile/entries/001 cannot be read: No such file or directory",
                257,
            ),
            (lambda folder: (folder / "tile/1/000.p/1").unlink(), "tile/1/000 cannot be read: No such file", 1),
            (lambda folder: (folder / "checkpoint").unlink(), "checkpoint cannot be read: No such file", None),
        ],
    )
    def test_is_found(self, folder: Path, apply: Callable[[Path], None], said: str, first: int | None) -> None:
        apply(folder)

        found = fault(folder)

        assert found[0].startswith(said)
        assert found[1] == first

    def test_that_was_made_again_ends_where_it_fits_no_more(self, tmp_path: Path, folder: Path) -> None:
        kept = (folder / "checkpoints/200").read_text()
        publish_to_folder(make_log(300, seed=5), tmp_path / "forged", [KEY], sizes=[100, 300])

        found = fault(tmp_path / "forged", kept)

        assert found == ("entries 101 to 200 are not those of the signed checkpoint of 200", 101)


class TestAKeptCheckpoint:
    def test_of_more_entries_shows_what_is_missing(self, folder: Path) -> None:
        kept = sign_checkpoint(310, bytes(32), [KEY])

        assert fault(folder, kept) == ("entries 301 to 310, of a signed checkpoint, are missing", 301)

    def test_of_as_many_entries_must_have_the_same_head(self, folder: Path) -> None:
        kept = sign_checkpoint(300, bytes(32), [KEY])

        assert fault(folder, kept) == ("two signed checkpoints of 300 entries differ", None)

    def test_of_another_log_is_refused(self, folder: Path) -> None:
        with pytest.raises(LogFaultError, match=r"^a checkpoint is of another log, other\.example\.com$"):
            verify_folder(folder, [KEY.verifier, OTHER.verifier], [sign_checkpoint(200, bytes(32), [OTHER])])


class TestATree:
    @pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 300])
    def test_has_the_head_of_its_leaves(self, size: int) -> None:
        leaves = [bytes([number % 256]) * 32 for number in range(size)]
        tree = TileTree()
        full = [tile for leaf in leaves for tile in tree.append(leaf)]

        assert tree.head() == tree_head(leaves)
        assert tree.size == size
        assert [(level, index, len(hashes)) for level, index, hashes in full] == ([(0, 0, 256)] if size >= 256 else [])


class TestTheProgram:
    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["stillwatch_verify.py", *map(str, arguments)])
        return main()

    def test_says_what_it_verified(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        key = format_key(KEY.verifier)

        assert self.run(monkeypatch, folder, "--key", key, "--checkpoint", folder / "checkpoints/200") == 0
        said = "Verified 300 entries and 2 checkpoints; 0 are signed by other keys alone.\n"
        assert capsys.readouterr() == (said, "")

    def test_needs_a_key(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(SystemExit, match="2"):
            self.run(monkeypatch, folder)

    @pytest.mark.parametrize(
        ("key", "kept", "said"),
        [
            (format_key(SECOND.verifier), (), "a checkpoint is signed by none of the given keys"),
            ("no key", (), "'no key' is no key of the form name+id+key"),
            (format_key(KEY.verifier), ("--checkpoint", "nowhere"), "No such file or directory"),
        ],
    )
    def test_says_what_is_wrong(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        key: str,
        kept: tuple[str, ...],
        said: str,
    ) -> None:
        assert self.run(monkeypatch, folder, "--key", key, *kept) == 1

        out, wrong = capsys.readouterr()
        assert out == ""
        assert wrong.startswith("NOT verified: ")
        assert said in wrong
        assert wrong.endswith(".\n")
