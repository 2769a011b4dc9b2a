"""Epochs of the feed: what they say, when one ends, and what a gateway still holds of it. Pure."""

import json
from contextlib import AbstractContextManager, closing
from math import inf
from pathlib import Path
from typing import Any

import pytest

from stillwatch_gateway import held_over_restrictions
from stillwatch_gateway.disk import SnapshotStore
from stillwatch_gateway.entries import EntryTerms, RestrictionEntry
from stillwatch_gateway.epoch_changes import OLDER_SNAPSHOTS, OlderSnapshotError, ended_epoch, refuse_other_epoch
from stillwatch_gateway.epochs import Epoch, HeldOverSet, find_held_over, parse_epoch, to_ranges
from stillwatch_gateway.held_over_restrictions import (
    HELD_REPORTED,
    MOST_NAMES_REPORTED,
    MOST_REPORTED_BYTES,
    HeldOverRestrictions,
)
from stillwatch_gateway.messages import BadMessageError, ChangesMessage, SnapshotHead
from stillwatch_gateway.restriction_set import RestrictionSet
from tests.stillwatch_gateway.signed_messages import KEY, lines, published_restriction, snapshot, stored

BLOCK, WATCH = EntryTerms("block", "bulk_harvest"), EntryTerms("watch", "other")


def entry(number: int, *, terms: EntryTerms = BLOCK, since: float = 100.0, **members: Any) -> RestrictionEntry:
    name = f"account:a{number}"
    return RestrictionEntry(number, terms, since, inf, (name,), target=name)._replace(**members)


def held_numbers(before: list[RestrictionEntry], now: list[RestrictionEntry], epoch: Epoch, upto: int = 9) -> set[int]:
    return {*find_held_over(RestrictionSet(before, 9), RestrictionSet(now, upto), epoch).numbers}


class TestParsing:
    def test_reads_all_that_is_said(self) -> None:
        document = {"epoch": "e2", "lost_numbers": [[3, 5], [9, 9]], "settled_numbers": [[4, 4]]}

        assert parse_epoch(document) == Epoch("e2", ((3, 5), (9, 9)), ((4, 4),))

    @pytest.mark.parametrize("identifier", [None, "", 5, ["e"], "x" * 65])
    def test_makes_nothing_of_what_has_no_identifier(self, identifier: object) -> None:
        assert parse_epoch({"epoch": identifier, "lost_numbers": [[3, 5]]}) == Epoch("", (), ())

    @pytest.mark.parametrize("identifier", ["x", "x" * 64])
    def test_takes_identifiers_up_to_64_characters(self, identifier: str) -> None:
        assert parse_epoch({"epoch": identifier}) == Epoch(identifier, (), ())

    @pytest.mark.parametrize("ranges", [None, "x", {}, [5, "ab", [1], [1, "2"], [1, 2, 3]]])
    def test_leaves_out_ranges_that_cannot_be_read(self, ranges: object) -> None:
        assert parse_epoch({"epoch": "e", "lost_numbers": ranges, "settled_numbers": ranges}) == Epoch("e")

    @pytest.mark.parametrize(
        ("numbers", "ranges"),
        [
            ([], ()),
            ([4], ((4, 4),)),
            ([1, 2, 3], ((1, 3),)),
            ([1, 2, 4, 5, 9], ((1, 2), (4, 5), (9, 9))),
            ([1, 3], ((1, 1), (3, 3))),
        ],
    )
    def test_has_numbers_as_ranges(self, numbers: list[int], ranges: tuple[tuple[int, int], ...]) -> None:
        assert to_ranges(numbers) == ranges


class TestALostNumber:
    @pytest.mark.parametrize(
        ("number", "is_open"), [(2, False), (3, True), (4, False), (5, True), (6, False), (8, True), (9, False)]
    )
    def test_is_open_until_it_is_settled(self, number: int, *, is_open: bool) -> None:
        assert Epoch("e", lost=((3, 5), (8, 8)), settled=((4, 4),)).is_open(number) is is_open


class TestWhatIsHeldOver:
    def test_was_lost_by_its_number(self) -> None:
        assert held_numbers([entry(n) for n in (1, 2, 3, 4)], [entry(1)], Epoch("e", lost=((3, 4),))) == {3, 4}

    def test_is_not_what_was_settled(self) -> None:
        assert held_numbers([entry(3), entry(4)], [], Epoch("e", lost=((3, 4),), settled=((4, 4),))) == {3}

    @pytest.mark.parametrize(("number", "held"), [(4, set()), (5, set()), (6, {6})])
    def test_is_newer_than_the_snapshot_where_no_epoch_says_what_was_lost(self, number: int, held: set[int]) -> None:
        assert held_numbers([entry(number)], [], Epoch(), upto=5) == held

    @pytest.mark.parametrize(
        ("since", "settled", "held"), [(100.0, (), set()), (101.0, (), {3}), (101.0, ((3, 3),), set())]
    )
    def test_had_a_number_that_another_took(self, since: float, settled: Any, held: set[int]) -> None:
        epoch = Epoch("e", lost=((3, 3),), settled=settled)

        assert held_numbers([entry(3)], [entry(3, since=since)], epoch) == held

    def test_decides_by_its_own_numbers_only(self) -> None:
        held = HeldOverSet(RestrictionSet([entry(1), entry(2)], 2, "e1"), frozenset({2}))

        assert held.decide(["account:a1"], now=200.0, age=3.0).allowed
        refused = held.decide(["account:a1", "account:a2"], now=200.0, age=3.0)
        assert (refused.allowed, refused.number, refused.age, refused.epoch) == (False, 2, 3.0, "e1")

    def test_is_less_once_some_is_settled(self) -> None:
        restricted = RestrictionSet([entry(1), entry(2)], 2)

        left = HeldOverSet(restricted, frozenset({1, 2})).left(Epoch("e", settled=((2, 3),)))

        assert left == HeldOverSet(restricted, frozenset({1}))


def changes(epoch: str) -> ChangesMessage:
    return ChangesMessage(0, 0, [], frozenset(), Epoch(epoch))


class TestChanges:
    @pytest.mark.parametrize(
        ("known", "named", "then"), [("", "", ""), ("", "e1", "e1"), ("e1", "", "e1"), ("e1", "e1", "e1")]
    )
    def test_go_on_with_the_epoch_that_is_known(self, known: str, named: str, then: str) -> None:
        restricted = RestrictionSet(epoch=known)

        refuse_other_epoch(restricted, changes(named))

        assert restricted.epoch == then

    def test_of_another_epoch_are_refused(self) -> None:
        restricted = RestrictionSet(epoch="e1")

        with pytest.raises(BadMessageError) as refused:
            refuse_other_epoch(restricted, changes("e2"))

        assert (str(refused.value), restricted.epoch) == ("changes of epoch e2, not e1", "e1")


class TestASnapshot:
    @pytest.mark.parametrize(
        ("known", "known_epoch", "upto", "epoch", "ended"),
        [
            (0, "", 0, "e1", None),
            (0, "", 0, "", None),
            (0, "e1", 5, "e2", "e1"),
            (5, "", 5, "e1", None),
            (5, "", 6, "", None),
            (5, "e1", 5, "e1", None),
            (5, "e1", 5, "", None),
            (5, "e1", 5, "e2", "e1"),
            (5, "e1", 9, "e2", "e1"),
        ],
    )
    def test_ends_an_epoch_where_it_names_another(
        self, known: int, known_epoch: str, upto: int, epoch: str, ended: str | None
    ) -> None:
        restricted = RestrictionSet((), known, known_epoch)
        head = SnapshotHead(upto, 0, frozenset(), Epoch(epoch))

        assert ended_epoch(restricted, head, older_snapshots=0) == ended

    @pytest.mark.parametrize("known_epoch", ["", "e1"])
    def test_that_is_older_is_taken_after_so_many(self, known_epoch: str) -> None:
        restricted, head = RestrictionSet((), 5, known_epoch), SnapshotHead(4, 0, frozenset(), Epoch(known_epoch))

        for refusals in (0, OLDER_SNAPSHOTS - 1):
            with pytest.raises(OlderSnapshotError, match=r"^a snapshot of 4 is older than 5$"):
                ended_epoch(restricted, head, older_snapshots=refusals)
        assert ended_epoch(restricted, head, older_snapshots=OLDER_SNAPSHOTS) == known_epoch


def holding(*entries: RestrictionEntry) -> HeldOverRestrictions:
    held = HeldOverRestrictions()
    held.add_lost(RestrictionSet(entries, 9, "e1"), RestrictionSet((), 0), Epoch("e2"))
    return held


class TestHeldOverRestrictions:
    def test_are_none_at_first(self) -> None:
        held = HeldOverRestrictions()

        assert not held
        assert held.report() == []
        assert held.refusal(["account:a1"], now=200.0, age=0.0) is None
        assert held.add_lost(RestrictionSet([entry(1)], 1), RestrictionSet([entry(1)], 1), Epoch("e2")) == frozenset()
        assert not held

    def test_go_on_refusing(self) -> None:
        held = holding(entry(1, terms=WATCH), entry(2))
        held.add_lost(RestrictionSet([entry(3)], 9, "e2"), RestrictionSet((), 0), Epoch("e3"))

        assert held
        assert held.refusal(["account:a1"], now=200.0, age=0.0) is None
        for number, epoch in ((2, "e1"), (3, "e2")):
            decision = held.refusal([f"account:a{number}"], now=200.0, age=7.0)
            assert decision is not None
            assert (decision.number, decision.epoch, decision.age) == (number, epoch, 7.0)
        assert held.refusal(["account:a2"], now=99.0, age=0.0) is None

    def test_are_reported_as_they_were_published(self) -> None:
        terms = EntryTerms("throttle", "other", 60, 900, ("logprobs",))
        whole = entry(2, terms=terms, since=0.0, until=86_400.5, target="organisation:o")

        assert holding(entry(1, target="organisation:"), whole).report() == [
            {
                "number": 1,
                "kind": "block",
                "against": "organisation",
                "reason": "bulk_harvest",
                "from": "1970-01-01T00:01:40+00:00",
                "until": None,
                "requests_per_minute": None,
                "tokens_per_minute": None,
                "withheld": [],
                "names": {"organisation": [], "account": [], "key": [], "digest": []},
            },
            {
                "number": 2,
                "kind": "throttle",
                "against": "organisation",
                "reason": "other",
                "from": "1970-01-01T00:00:00+00:00",
                "until": "1970-01-02T00:00:00.500000+00:00",
                "requests_per_minute": 60,
                "tokens_per_minute": 900,
                "withheld": ["logprobs"],
                "names": {"organisation": ["o"], "account": [], "key": [], "digest": []},
            },
        ]

    def test_are_reported_as_many_as_stillwatch_takes(self) -> None:
        reported = holding(*(entry(number) for number in range(1, HELD_REPORTED + 2))).report()

        assert [one["number"] for one in reported] == [*range(1, HELD_REPORTED + 1)]

    def test_are_reported_up_to_a_size(self) -> None:
        long = BLOCK._replace(reason="x" * (MOST_REPORTED_BYTES // 4))

        assert [one["number"] for one in holding(*(entry(n, terms=long) for n in range(1, 9))).report()] == [1, 2, 3]

    @pytest.mark.parametrize(("room", "reported"), [(0, [1]), (-1, [])])
    def test_are_reported_up_to_the_last_byte(
        self, room: int, reported: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = holding(entry(1))
        size = len(json.dumps(held.report()[0]))

        monkeypatch.setattr(held_over_restrictions, "MOST_REPORTED_BYTES", size + room)

        assert [one["number"] for one in held.report()] == reported

    def test_are_against_a_name_that_may_hold_a_colon(self) -> None:
        assert holding(entry(1, target="account:a:x")).report()[0]["against"] == "account"

    def test_are_dropped_once_they_are_settled(self) -> None:
        held = holding(entry(1), entry(2))
        held.add_lost(RestrictionSet([entry(3)], 9, "e2"), RestrictionSet((), 0), Epoch("e3"))

        nothing_settled = held.drop_settled(Epoch("e3"))
        first_settled = held.drop_settled(Epoch("e3", settled=((1, 1), (3, 3))))
        left = [one["number"] for one in held.report()], held._since
        all_settled = held.drop_settled(Epoch("e3", settled=((1, 3),)))

        assert (nothing_settled, first_settled, all_settled) == (False, False, True)
        assert left == ([2], {2: 100.0})
        assert (bool(held), held.report(), held.drop_settled(Epoch("e3", settled=((1, 3),)))) == (False, [], False)

    def test_are_found_on_disk_with_all_their_names(self, tmp_path: Path) -> None:
        keys = [f"k{number}" for number in range(MOST_NAMES_REPORTED + 1)]
        held = holding(entry(1), entry(2), entry(3, since=5.0))

        published = {"account": ["a1", "a1:x"], "key": keys, "project": ["p"]}
        with on_disk(tmp_path, {1: published, 3: {"account": ["of another"]}}) as store:
            held.load_names(store)

        first, second, third = held.report()
        assert first["names"] == {"organisation": [], "account": ["a1", "a1:x"], "key": keys[:-1], "digest": []}
        assert (second["names"]["account"], third["names"]["account"]) == (["a2"], ["a3"])

    def test_keep_their_target_among_ever_so_many_names(self, tmp_path: Path) -> None:
        others = [f"b{number}" for number in range(MOST_NAMES_REPORTED)]
        held = holding(entry(1))

        with on_disk(tmp_path, {1: {"key": ["k"], "account": [*others, "a1"]}}, against="key") as store:
            held.load_names(store)
        named = held.report()[0]

        assert named["against"] == "key"
        assert named["names"] == {"organisation": [], "account": others, "key": ["k"], "digest": []}


def on_disk(
    folder: Path, names: dict[int, dict[str, list[str]]], **members: Any
) -> AbstractContextManager[SnapshotStore]:
    """A store with these restrictions, each since 100 seconds after 1970."""
    head = snapshot(0)[0] | {"sequence": 9, "count": len(names)}
    since = {"from": "1970-01-01T00:01:40+00:00"}
    entries = [published_restriction(number, names=named, **since, **members) for number, named in names.items()]
    stored(folder, lines([head, *entries]))
    return closing(SnapshotStore(folder, KEY))
