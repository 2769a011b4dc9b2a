"""What exactly is read of a message, and what is said of one that is refused. Pure."""

import hashlib
import hmac
import json
from io import BytesIO
from typing import Any

import pytest

from stillwatch_gateway import messages, signed
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.messages import BadMessageError, ChangesMessage, SnapshotHead, read_changes, read_snapshot
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet
from stillwatch_gateway.signed import HEAD_BYTES, PIECE, apply_changes, read_signed_snapshot, verify_body
from tests.stillwatch_gateway.entries import entry
from tests.stillwatch_gateway.signed_messages import KEY, changes, lines, published_restriction, sign, snapshot

EPOCH = {"epoch": "e2", "lost_numbers": [[3, 4]], "settled_numbers": [[4, 4]]}
PLANS = {"fail_closed_plans": ["free", "trial"]}


def refusal(document: Any) -> str:
    with pytest.raises(BadMessageError) as refused:
        read_changes(json.dumps(document).encode())
    return str(refused.value)


def read_lines(documents: list[Any]) -> tuple[SnapshotHead, list[int], list[str]]:
    faults: list[str] = []
    head, entries = read_snapshot(lines(documents).splitlines(), faults)
    return head, [one.number for one in entries], faults


def signed_lines(documents: list[Any], head: bytes | None = None) -> BytesIO:
    body = lines(documents)
    return BytesIO((" ".join(sign(body)).encode() + b"\n" if head is None else head) + body)


class TestASignature:
    def test_is_made_with_the_digest_of_the_service_key(self) -> None:
        key = hmac.digest(hashlib.sha256(b"swk_ours").digest(), b"stillwatch feed 1", "sha256")

        assert key == KEY == messages.signing_key_of_digest(hashlib.sha256(b"swk_ours").digest())
        assert sign(b"x")[1] == hmac.new(key, hashlib.sha256(b"x").hexdigest().encode(), "sha256").hexdigest()

    def test_says_what_does_not_fit(self) -> None:
        digest, signature = sign(b"x")

        verify_body(b"x", digest, signature, KEY)
        for bad in (None, "", "é", signature[:-1]):
            with pytest.raises(BadMessageError, match=r"^the signature does not fit$"):
                verify_body(b"x", digest, bad, KEY)
        for wrong in (None, "", digest.upper()):
            with pytest.raises(BadMessageError, match=r"^the checksum does not fit$"):
                verify_body(b"x", wrong, signature, KEY)


class TestChanges:
    def test_are_read_whole(self) -> None:
        read = read_changes(json.dumps(changes() | EPOCH | PLANS | {"age": 2}).encode())

        assert read == ChangesMessage(
            2, 5, read.changes, frozenset({"free", "trial"}), Epoch("e2", ((3, 4),), ((4, 4),)), 2.0, ()
        )

    @pytest.mark.parametrize(
        ("age", "expected"), [(0, 0.0), (0.5, 0.5), (7, 7.0), (-1, 0.0), (True, 0.0), ("5", 0.0), (None, 0.0)]
    )
    def test_say_how_old_they_are(self, age: object, expected: float) -> None:
        read = read_changes(json.dumps(changes() | {"age": age}).encode())

        assert (read.age, type(read.age)) == (expected, float)

    @pytest.mark.parametrize(
        ("members", "said"),
        [
            ({"format": 2}, "format 2 is not known: this client reads 1"),
            ({"format": None}, "format None is not known: this client reads 1"),
            ({"after": -1}, "after is no number"),
            ({"sequence": "5"}, "sequence is no number"),
            ({"sequence": 6}, "changes are missing"),
            ({"sequence": 4}, "changes are missing"),
            ({"changes": {}, "sequence": 2}, "changes are missing"),
            ({"changes": [7, 7, 7]}, "change 3 is not where it should be"),
            ({"changes": [{"sequence": 3}, {"sequence": 3}, {"sequence": 5}]}, "change 4 is not where it should be"),
            ({"changes": [{}, {}, {}]}, "sequence is no number"),
            ({"fail_closed_plans": None}, "fail_closed_plans is missing"),
            ({"fail_closed_plans": "free"}, "fail_closed_plans is missing"),
            ({"fail_closed_plans": ["free", 7]}, "fail_closed_plans is missing"),
        ],
    )
    def test_say_why_they_are_refused(self, members: dict[str, Any], said: str) -> None:
        assert refusal(changes() | members) == said

    @pytest.mark.parametrize(
        ("body", "said"),
        [(b"[]", "this is no JSON object"), (b"{", "this is no JSON"), (b"[" * 100_000, "this is no JSON")],
    )
    def test_that_are_none_say_so(self, body: bytes, said: str) -> None:
        with pytest.raises(BadMessageError, match=f"^{said}$"):
            read_changes(body)

    def test_say_what_cannot_be_read(self) -> None:
        document = changes()
        document["changes"][0] = {"sequence": 3, "moved": 1}
        document["changes"][2]["restriction"]["reason"] = ""

        read = read_changes(json.dumps(document).encode())

        assert read.faults == (
            "change 3: neither a restriction nor an end",
            "change 5: restriction 5: reason is no text",
        )
        assert [(number, ended) for number, one, ended in read.changes if one is None] == [(3, None), (4, 1)]

    def test_count_up_to_the_first_that_does_not_follow(self) -> None:
        restricted = RestrictionSet([entry(1)], 1)
        read = ChangesMessage(1, 4, [(2, entry(2), None), (3, None, 1), (5, entry(5), None)], frozenset())

        with pytest.raises(OutOfOrderError):
            apply_changes(restricted, read)

        assert (restricted.sequence, len(restricted), restricted.entry(2).number) == (3, 1, 2)


class TestASnapshot:
    def test_is_read_whole(self) -> None:
        head = snapshot(2)[0] | EPOCH | PLANS | {"sequence": 8}

        restricted, read = read_signed_snapshot(
            signed_lines([head, published_restriction(1), published_restriction(8)]), KEY
        )

        assert read == SnapshotHead(8, 2, frozenset({"free", "trial"}), Epoch("e2", ((3, 4),), ((4, 4),)), ())
        assert (restricted.sequence, restricted.epoch, len(restricted)) == (8, "e2", 2)

    def test_says_what_cannot_be_read(self) -> None:
        partial = {"names": None, "names_added": {"key": ["k"]}, "names_removed": {}}
        lacking = {name: value for name, value in (published_restriction(2) | partial).items() if name != "names"}
        head, numbers, faults = read_lines(
            [*snapshot(3)[:1], published_restriction(1, reason=""), lacking, "no restriction"]
        )

        assert (head.faults, numbers) == ((), [1, 2])
        assert faults == [
            "restriction 1: reason is no text",
            "restriction 2 lacks names",
            "a restriction has no number",
        ]

    def test_holds_what_changed_of_one_without_its_names_as_a_whole(self) -> None:
        lacking = published_restriction(1, names_added={"key": ["k"]}, names_removed={})
        del lacking["names"]

        [only] = read_snapshot(lines([snapshot(1)[0], lacking]).splitlines())[1]

        assert (only.names, only.is_whole) == (("key:k",), True)

    def test_with_a_line_that_is_no_json_says_so(self) -> None:
        whole = lines(snapshot(2)).splitlines()
        faults: list[str] = []

        _, entries = read_snapshot([whole[0], b"{", b"[" * 100_000], faults)

        assert (list(entries), faults) == ([], ["a line is no JSON", "a line is no JSON"])
        assert len(list(read_snapshot([whole[0], b"{", whole[2]])[1])) == 1

    @pytest.mark.parametrize(
        ("numbers", "said"),
        [
            ((1, 1), "restriction 1 after 1 of 2"),
            ((2, 1), "restriction 1 after 2 of 2"),
            ((1, 3), "restriction 3 after 1 of 2"),
            ((0, 1), "restriction 0 after 0 of 2"),
            ((1,), "1 restrictions of 2"),
            ((), "0 restrictions of 2"),
        ],
    )
    def test_is_refused_out_of_order_or_incomplete(self, numbers: tuple[int, ...], said: str) -> None:
        with pytest.raises(BadMessageError, match=f"^{said}$"):
            read_lines([*snapshot(2)[:1], *map(published_restriction, numbers)])

    def test_is_refused_with_too_many(self) -> None:
        with pytest.raises(BadMessageError, match=r"^3 restrictions of 2$"):
            read_lines([*snapshot(2), "x"])

    @pytest.mark.parametrize(
        ("member", "said"),
        [("sequence", "sequence is no number"), ("count", "count is no number"), ("format", "format")],
    )
    def test_needs_its_head(self, member: str, said: str) -> None:
        with pytest.raises(BadMessageError, match=f"^{said}"):
            read_lines([snapshot(1)[0] | {member: None}, published_restriction(1)])

    def test_that_is_empty_is_refused(self) -> None:
        with pytest.raises(BadMessageError, match=r"^this is no JSON$"):
            read_snapshot([])

    @pytest.mark.parametrize("head", [b"", b"\n", b"one\n", b"one two three\n", b"x" * (HEAD_BYTES + 1) + b" y\n"])
    def test_needs_its_signature_before_it(self, head: bytes) -> None:
        with pytest.raises(BadMessageError, match=r"^the signature is missing$"):
            read_signed_snapshot(BytesIO(head), KEY)

    def test_is_read_up_to_the_last_byte_of_its_signature(self) -> None:
        body = lines(snapshot(1))
        head = " ".join(sign(body)).encode()

        read_signed_snapshot(BytesIO(head + b" " * (HEAD_BYTES - 1 - len(head)) + b"\n" + body), KEY)
        with pytest.raises(BadMessageError):
            read_signed_snapshot(BytesIO(head + b" " * (HEAD_BYTES - len(head)) + b"\n" + body), KEY)

    @pytest.mark.parametrize(
        ("head", "said"),
        [
            (b"\xff abc\n", "the checksum does not fit"),
            (b"abc \xff\n", "the checksum does not fit"),
            (sign(lines(snapshot(1)))[0].encode() + b" \xff\n", "the signature does not fit"),
        ],
    )
    def test_says_what_does_not_fit(self, head: bytes, said: str) -> None:
        with pytest.raises(BadMessageError, match=f"^{said}$"):
            read_signed_snapshot(signed_lines(snapshot(1), head), KEY)

    def test_is_checked_piece_by_piece(self) -> None:
        long = snapshot(2)[0] | {"filling": "x" * (2 * PIECE)}

        assert (
            len(read_signed_snapshot(signed_lines([long, published_restriction(1), published_restriction(2)]), KEY)[0])
            == 2
        )

    @pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
    def test_has_lines_up_to_a_length(self, monkeypatch: pytest.MonkeyPatch, more: int, *, is_read: bool) -> None:
        monkeypatch.setattr(signed, "LONGEST_LINE", len(lines(snapshot(1)[1:])) - more)
        head = {"format": 1, "sequence": 1, "count": 1, "fail_closed_plans": []}

        if is_read:
            assert len(read_signed_snapshot(signed_lines([head, published_restriction(1)]), KEY)[0]) == 1
            return
        with pytest.raises(BadMessageError, match=r"^a line is too long$"):
            read_signed_snapshot(signed_lines([head, published_restriction(1)]), KEY)
