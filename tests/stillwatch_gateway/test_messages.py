"""What a gateway takes for the word of Stillwatch: all that is as it was signed, and nothing else."""

import copy
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from stillwatch_gateway.messages import BadMessageError, read_changes, signing_key
from stillwatch_gateway.restriction_set import RestrictionSet
from stillwatch_gateway.signed import load_snapshot, verify_body
from tests.stillwatch_gateway.signed_messages import KEY, changes, lines, published_restriction, sign, snapshot, stored


class TestChanges:
    def test_are_read_as_they_were_told(self) -> None:
        read = read_changes(json.dumps(changes()).encode())

        assert (read.after, read.sequence) == (2, 5)
        assert [(number, entry.number if entry else None, ended) for number, entry, ended in read.changes] == [
            (3, 3, None),
            (4, None, 1),
            (5, 5, None),
        ]

    @pytest.mark.parametrize("listed", [True, False], ids=["with all names", "with what changed only"])
    def test_of_names_are_read(self, *, listed: bool) -> None:
        nobody: dict[str, list[str]] = {"organisation": [], "account": [], "key": [], "digest": []}
        document = changes()
        restriction = document["changes"][0]["restriction"]
        restriction |= {"names_added": nobody | {"key": ["key_9"]}, "names_removed": nobody | {"key": ["key_8"]}}
        if not listed:
            del restriction["names"]

        _, entry, _ = read_changes(json.dumps(document).encode()).changes[0]

        assert entry is not None
        told_now = (entry.names, entry.removed, entry.is_whole)
        assert told_now == (
            (("account:acct_3", "key:key_3"), (), True) if listed else (("key:key_9",), ("key:key_8",), False)
        )

    @pytest.mark.parametrize("member", ["names_added", "names_removed"])
    @pytest.mark.parametrize("value", ["missing", "", {}, [], "x", None, {"account": ["a"]}])
    def test_of_names_that_say_one_half_only_lose_none_of_their_neighbours(self, member: str, value: Any) -> None:
        document = changes()
        restriction = document["changes"][0]["restriction"]
        names = restriction.pop("names")
        restriction |= {"names_added": names, "names_removed": names} | {member: value}
        if value == "missing":
            del restriction[member]

        read = read_changes(json.dumps(document).encode())

        assert [entry.number for _, entry, _ in read.changes if entry and "account:acct_5" in entry.names] == [5]
        assert len(read.faults) == (0 if value in ({}, {"account": ["a"]}) else 1)

    @pytest.mark.parametrize("member", ["kind", "denies", "reason", "from", "until", "requests_per_minute", "withheld"])
    @pytest.mark.parametrize("value", ["missing", "", {}, [], "x", -1, None, 1.5, 1e400, "9" * 400, "\ud800"])
    @pytest.mark.parametrize("denies", [True, False])
    def test_with_a_member_that_cannot_be_read_deny_whom_they_name_unless_they_say_otherwise(
        self, member: str, value: Any, *, denies: bool
    ) -> None:
        document = changes()
        restriction = document["changes"][0]["restriction"] = published_restriction(
            3, denies=denies, kind="block" if denies else "warn"
        )
        if value == "missing":
            del restriction[member]
        else:
            restriction[member] = value

        read = read_changes(json.dumps(document).encode())
        restricted = RestrictionSet([], 2)
        for number, entry, ended in read.changes:
            restricted.change(number, entry, ended)

        assert restricted.decide(["account:acct_3"], now=2e9).allowed is not denies
        assert not restricted.decide(["account:acct_5"], now=2e9).allowed
        assert restricted.sequence == 5

    @pytest.mark.parametrize(
        "names", ["missing", None, "x", [], {}, {"account": "acct_3"}, {"account": [7, ""]}, {"project": ["p"]}]
    )
    def test_against_nobody_that_can_be_read_lose_none_of_their_neighbours(self, names: Any) -> None:
        document = changes()
        document["changes"][0]["restriction"]["names"] = names
        if names == "missing":
            del document["changes"][0]["restriction"]["names"]

        read = read_changes(json.dumps(document).encode())

        assert [entry.number for _, entry, _ in read.changes if entry and "account:acct_5" in entry.names] == [5]
        assert len(read.faults) == 1

    @pytest.mark.parametrize("change", [{}, {"restriction": None}, {"restriction": 7}, {"ended": "x"}, {"moved": {}}])
    def test_of_a_type_that_is_not_known_lose_none_of_their_neighbours(self, change: dict[str, Any]) -> None:
        document = changes()
        document["changes"][0] = {"sequence": 3} | change

        read = read_changes(json.dumps(document).encode())

        assert [entry.number for _, entry, _ in read.changes if entry] == [5]
        assert len(read.faults) == 1

    def test_out_of_order_doubled_or_missing_are_refused(self) -> None:
        for disorder in (list.reverse, lambda c: c.append(c[-1]), list.pop, lambda c: c.insert(0, c[0])):
            document = changes()
            disorder(document["changes"])
            with pytest.raises(BadMessageError):
                read_changes(json.dumps(document).encode())

    @pytest.mark.parametrize(
        ("member", "value"),
        [("after", None), ("sequence", "5"), ("fail_closed_plans", None), ("fail_closed_plans", [1])],
    )
    def test_without_what_each_message_says_are_refused(self, member: str, value: Any) -> None:
        with pytest.raises(BadMessageError, match=member):
            read_changes(json.dumps(changes() | {member: value}).encode())

    @pytest.mark.parametrize(
        ("age", "seconds"), [(7, 7.0), (0.5, 0.5), (-1, 0.0), (True, 0.0), ("7", 0.0), (None, 0.0)]
    )
    def test_are_as_old_as_they_say_or_new(self, age: Any, seconds: float) -> None:
        assert read_changes(json.dumps(changes() | {"age": age}).encode()).age == seconds

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            ({"from": "2026-11-02T09:14:00"}, "from is no time with a time zone"),
            ({"until": "2026-11-02T09:13:00+00:00"}, "it ends before it starts"),
            ({"kind": "throttle", "denies": True}, "a throttle has no limit"),
        ],
    )
    def test_that_contradict_themselves_deny_and_are_faults(self, wrong: dict[str, Any], fault: str) -> None:
        document = changes()
        document["changes"][0]["restriction"] = published_restriction(3) | wrong

        read = read_changes(json.dumps(document).encode())
        _, entry, _ = read.changes[0]

        assert read.faults == (f"change 3: restriction 3: {fault}",)
        assert entry is not None
        assert entry.until == float("inf")

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format": 2}'])
    def test_of_nonsense_are_refused(self, body: bytes) -> None:
        with pytest.raises(BadMessageError):
            read_changes(body)


class TestASignature:
    def test_of_another_key_or_none_is_refused(self) -> None:
        body = json.dumps(changes()).encode()

        for digest, signed in (sign(body, signing_key("swk_another")), (sign(body)[0], None), (None, sign(body)[1])):
            with pytest.raises(BadMessageError):
                verify_body(body, digest, signed, KEY)

    def test_does_not_fit_another_body(self) -> None:
        with pytest.raises(BadMessageError):
            verify_body(b"{}", *sign(json.dumps(changes()).encode()), KEY)


class TestASnapshot:
    def test_is_read_as_it_was_told(self, tmp_path: Path) -> None:
        restricted, head = load_snapshot(stored(tmp_path, lines(snapshot(3))), KEY)

        assert (restricted.sequence, len(restricted), head.size) == (3, 3, 3)
        assert not restricted.decide(["key:key_2"], now=2e9).allowed

    @pytest.mark.parametrize("bad", [b"null", b"7", b"{", b'{"number": 2, "names": {}}', b"[" * 5_000])
    def test_with_a_line_that_cannot_be_read_loses_none_of_the_others(self, tmp_path: Path, bad: bytes) -> None:
        whole = lines(snapshot(3)).splitlines()

        restricted, head = load_snapshot(stored(tmp_path, b"\n".join([*whole[:2], bad, whole[3], b""])), KEY)

        assert [restricted.decide([f"account:acct_{n}"], now=2e9).allowed for n in (1, 2, 3)] == [False, True, False]
        assert len(head.faults) == 1

    @pytest.mark.parametrize(
        ("numbers", "why"), [((2, 1), "restriction 1 after 2 of 2"), ((1, 3), "restriction 3 after 1 of 2")]
    )
    def test_out_of_order_is_refused(self, tmp_path: Path, numbers: tuple[int, int], why: str) -> None:
        with pytest.raises(BadMessageError, match=why):
            load_snapshot(stored(tmp_path, lines([snapshot()[0], *map(published_restriction, numbers)])), KEY)

    def test_with_a_change_of_names_in_it_counts_that_as_a_fault(self, tmp_path: Path) -> None:
        changed = published_restriction(1)
        changed["names_added"] = changed.pop("names")

        restricted, head = load_snapshot(stored(tmp_path, lines([snapshot(1)[0], changed])), KEY)

        assert not restricted.decide(["account:acct_1"], now=2e9).allowed
        assert head.faults == ("restriction 1 lacks names",)

    def test_with_a_line_that_no_restriction_needs_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stillwatch_gateway.signed.LONGEST_LINE", 100)

        with pytest.raises(BadMessageError, match="a line is too long"):
            load_snapshot(stored(tmp_path, lines(snapshot(1))), KEY)

    @pytest.mark.parametrize("head", [b"", b"one\n", b"one two three\n"])
    def test_without_a_signature_is_refused(self, tmp_path: Path, head: bytes) -> None:
        file = tmp_path / "snapshot"
        file.write_bytes(head)

        with pytest.raises(BadMessageError, match="the signature is missing"):
            load_snapshot(file, KEY)

    def test_that_was_cut_off_is_refused_even_where_it_was_signed(self, tmp_path: Path) -> None:
        with pytest.raises(BadMessageError):
            load_snapshot(stored(tmp_path, lines(snapshot(3)[:-1])), KEY)


def test_nothing_that_was_changed_on_its_way_is_ever_accepted(tmp_path: Path) -> None:
    """A few hundred of the thousands that the benchmark makes."""
    dice = random.Random(7)
    body, (digest, signed) = (good := json.dumps(changes()).encode()), sign(good)
    for _ in range(300):
        bad = mutated(body, dice)
        with pytest.raises(BadMessageError):
            verify_body(bad, digest, signed, KEY)
        with pytest.raises(BadMessageError):
            verify_body(bad, hashlib.sha256(bad).hexdigest(), signed, KEY)


def mutated(body: bytes, dice: random.Random) -> bytes:
    place, changed = dice.randrange(len(body)), bytearray(copy.copy(body))
    match dice.randrange(4):
        case 0:
            del changed[place:]
        case 1:
            changed[place] ^= 1 << dice.randrange(8)
        case 2:
            changed[place:place] = changed[place : place + 40] or b" "
        case _:
            del changed[place : place + 1 + dice.randrange(40)]
    return bytes(changed)
