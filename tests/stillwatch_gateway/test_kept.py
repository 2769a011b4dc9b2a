"""What a store keeps and gives back, what of it is reported where it was lost, and what is counted until reported."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stillwatch_gateway import moments
from stillwatch_gateway.disk import SnapshotStore
from stillwatch_gateway.entries import FOREVER, EntryTerms, RestrictionEntry
from stillwatch_gateway.epochs import Epoch, HeldOverSet, find_held_over, parse_epoch, to_ranges
from stillwatch_gateway.held_over_restrictions import MOST_NAMES_REPORTED, MOST_REPORTED_BYTES, HeldOverRestrictions
from stillwatch_gateway.messages import signing_key
from stillwatch_gateway.refusal_counts import RefusalCounts
from stillwatch_gateway.restriction_set import RestrictionSet
from tests.stillwatch_gateway.signed_messages import KEY, changes, lines, published_restriction, sign, snapshot, stored

SINCE = 1793610840.0  # 2026-11-02 09:14, when each of them began
BLOCK = EntryTerms("block", "bulk_harvest")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SnapshotStore]:
    with closing(SnapshotStore(tmp_path, KEY)) as one:
        yield one


def keep(store: SnapshotStore, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    store.keep_changes(body, *sign(body))


def one_change(restriction: dict[str, Any], after: int = 2) -> dict[str, Any]:
    return changes(after, after + 1) | {"changes": [{"sequence": after + 1, "restriction": restriction}]}


class TestTheStore:
    def test_is_let_go_of_where_its_signature_does_not_fit(self, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot()), signing_key("swk_another"))

        with closing(SnapshotStore(tmp_path, KEY)) as store:
            assert store.load() is None

    def test_plays_what_followed_up_to_where_it_was_cut_off(self, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot()))
        reached = []
        with closing(SnapshotStore(tmp_path, KEY)) as store:
            for after in (2, 3, 4):
                body = json.dumps(changes(after, after + 1)).encode()
                store.keep_changes(body, *sign(body))
            whole = (tmp_path / "changes").read_bytes()
            for cut in range(len(whole), 0, -50):
                (tmp_path / "changes").write_bytes(whole[:cut])
                loaded = store.load()
                assert loaded is not None
                reached.append(loaded[0].sequence)

        assert reached[0] == 5
        assert sorted(reached, reverse=True) == reached
        assert min(reached) == 2

    def test_is_written_by_one_process_and_read_by_others(self, tmp_path: Path) -> None:
        with closing(SnapshotStore(tmp_path, KEY)) as first, closing(SnapshotStore(tmp_path, KEY)) as second:
            assert (first.writes, second.writes) == (True, False)


class TestLoading:
    def test_skips_changes_that_the_snapshot_holds_already(self, store: SnapshotStore, tmp_path: Path) -> None:
        keep(store, changes(0, 2))
        keep(store, changes(2, 3))
        stored(tmp_path, lines(snapshot(2)))

        loaded = store.load()

        assert loaded is not None
        assert (loaded.restricted.sequence, loaded.ends_early) == (3, False)

    @pytest.mark.parametrize("wrong", [changes(3, 4), changes(2, 3) | {"format": 2}])
    def test_ends_early_at_changes_that_do_not_follow(
        self, store: SnapshotStore, tmp_path: Path, wrong: dict[str, Any]
    ) -> None:
        stored(tmp_path, lines(snapshot(2)))
        keep(store, wrong)

        loaded = store.load()

        assert loaded is not None
        assert (loaded.restricted.sequence, loaded.ends_early) == (2, True)
        assert loaded.faults[0].startswith("What was kept after change 2: ")

    def test_ends_early_at_a_message_that_says_it_is_longer_than_any(
        self, store: SnapshotStore, tmp_path: Path
    ) -> None:
        stored(tmp_path, lines(snapshot(2)))
        (tmp_path / "changes").write_bytes(b"digest signature 99999999999\n{}\n")

        loaded = store.load()

        assert loaded is not None
        assert (loaded.restricted.sequence, loaded.ends_early) == (2, True)

    def test_says_why_a_snapshot_cannot_be_read(self, store: SnapshotStore, tmp_path: Path) -> None:
        (tmp_path / "snapshot").symlink_to(tmp_path / "snapshot")

        assert store.load() is None
        assert store.problem == "The snapshot cannot be read: Too many levels of symbolic links."

    def test_passes_over_what_is_damaged_of_an_epoch_that_ended(self, store: SnapshotStore, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot(2))).rename(tmp_path / "held-one-snapshot")
        (tmp_path / "held-two-snapshot").write_text("damaged")

        assert [held.restricted.sequence for held in store.load_held_over()] == [2]


class TestKeeping:
    def test_is_done_by_the_process_that_writes_only(self, store: SnapshotStore, tmp_path: Path) -> None:
        received = stored(tmp_path, lines(snapshot(2))).rename(tmp_path / "received")
        with closing(SnapshotStore(tmp_path, KEY)) as reader:
            reader.keep_snapshot(received)
            keep(reader, changes())
            reader.forget_held_over()

        assert reader.changes_bytes == 0
        assert received.exists()

    @pytest.mark.parametrize("kept", [None, "damaged", "\n[]"])
    def test_puts_nothing_aside_where_no_epoch_is_kept(
        self, store: SnapshotStore, tmp_path: Path, kept: str | None
    ) -> None:
        if kept is not None:
            (tmp_path / "snapshot").write_text(kept)

        assert store.epoch_beside("second") is None

    @pytest.mark.parametrize(("now", "beside"), [("second", "first"), ("first", None)])
    def test_knows_the_epoch_beside_it(
        self, store: SnapshotStore, tmp_path: Path, now: str, beside: str | None
    ) -> None:
        stored(tmp_path, lines([snapshot()[0] | {"epoch": "first"}, *snapshot()[1:]]))

        assert store.epoch_beside(now) == beside


class TestWhatWasPublished:
    def test_is_found_in_what_is_kept_with_the_names_of_now(self, store: SnapshotStore, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot(2)))
        renamed = published_restriction(2)
        del renamed["names"]
        renamed |= {"names_added": {"account": [], "key": ["key_new"]}, "names_removed": {"key": ["key_2"]}}
        keep(store, one_change(renamed))

        found = store.published_entries({2: SINCE})

        assert {number: entry.names for number, entry in found.items()} == {2: ("account:acct_2", "key:key_new")}

    def test_is_nobody_else_who_has_the_same_number(self, store: SnapshotStore, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot(2)))

        assert store.published_entries({2: SINCE + 1, 7: SINCE}) == {}

    def test_is_not_made_up_from_a_change_of_names_alone(self, store: SnapshotStore, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot(1)))
        renamed = published_restriction(2)
        renamed["names_added"] = renamed.pop("names")
        keep(store, one_change(renamed, after=1))

        assert store.published_entries({2: SINCE}) == {}

    def test_of_an_epoch_that_ended_comes_first(self, store: SnapshotStore, tmp_path: Path) -> None:
        stored(tmp_path, lines(snapshot(2))).rename(tmp_path / "held-one-snapshot")

        assert set(store.published_entries({2: SINCE})) == {2}


class TestWhatIsHeldOver:
    def held(self, *entries: RestrictionEntry) -> HeldOverRestrictions:
        before = RestrictionSet()
        for sequence, entry in enumerate(entries, start=1):
            before.change(sequence, entry, None)
        held = HeldOverRestrictions()
        held.add_lost(before, RestrictionSet(), Epoch("second", lost=((1, len(entries)),)))
        return held

    def entry(self, number: int, *names: str, until: float = FOREVER) -> RestrictionEntry:
        return RestrictionEntry(number, BLOCK, SINCE, until, names, target=names[0])

    def test_is_reported_with_as_many_names_as_stillwatch_takes_its_target_among_them(self) -> None:
        keys = [f"key:key_{n}" for n in range(MOST_NAMES_REPORTED + 5)]
        entry = self.entry(1, *keys, "project:other", until=SINCE + 60)._replace(target=keys[-1])

        [reported] = self.held(entry).report()

        assert len(reported["names"]["key"]) == MOST_NAMES_REPORTED
        assert reported["names"]["key"][0] == keys[-1].partition(":")[2]
        assert (reported["until"], set(reported["names"])) == (
            "2026-11-02T09:15:00+00:00",
            {"organisation", "account", "key", "digest"},
        )

    def test_is_reported_up_to_as_many_bytes_as_stillwatch_takes(self) -> None:
        long = [[f"key:{number}-{n}-{'k' * 180}" for n in range(MOST_NAMES_REPORTED)] for number in range(50)]

        reported = self.held(*(self.entry(number, *names) for number, names in enumerate(long, start=1))).report()

        assert 0 < len(json.dumps(reported)) - 2 * len(reported) <= MOST_REPORTED_BYTES
        assert len(reported) < 50

    def test_refuses_by_any_of_its_sets(self) -> None:
        held = self.held(self.entry(1, "account:a"))
        other = RestrictionSet([self.entry(5, "account:b")], 5)
        held.add_lost(other, RestrictionSet(), Epoch("third", lost=((5, 5),)))

        decisions = {name: held.refusal([f"account:{name}"], now=SINCE, age=0.0) for name in "abc"}

        assert {name: decision and decision.number for name, decision in decisions.items()} == {
            "a": 1,
            "b": 5,
            "c": None,
        }

    def test_is_settled_one_by_one(self) -> None:
        held = self.held(self.entry(1, "account:a"), self.entry(2, "account:b"))

        assert not held.drop_settled(Epoch("second"))
        assert not held.drop_settled(Epoch("second", settled=((1, 1),)))
        assert [one["number"] for one in held.report()] == [2]
        assert held.drop_settled(Epoch("second", settled=((1, 2),)))
        assert not held

    def test_was_lost_only_where_its_number_now_means_another(self) -> None:
        entry = self.entry(1, "account:a")
        before, same = RestrictionSet([entry], 1), RestrictionSet([entry], 1)
        another = RestrictionSet([entry._replace(since=SINCE + 1)], 1)

        assert find_held_over(before, same, Epoch("second")).numbers == set()
        assert find_held_over(before, another, Epoch("second")).numbers == {1}
        assert find_held_over(before, another, Epoch("second", settled=((1, 1),))).numbers == set()

    def test_counts_only_by_the_numbers_that_were_lost(self) -> None:
        held = HeldOverSet(RestrictionSet([self.entry(1, "account:a"), self.entry(2, "account:b")], 2), frozenset({2}))

        assert [held.decide([f"account:{name}"], now=SINCE, age=0.0).allowed for name in "ab"] == [True, False]


class TestAnEpoch:
    @pytest.mark.parametrize("identifier", [None, "", 7, "e" * 65])
    def test_without_a_name_is_none(self, identifier: object) -> None:
        assert parse_epoch({"epoch": identifier, "lost_numbers": [[1, 2]]}) == Epoch()

    def test_is_read_as_far_as_it_can_be(self) -> None:
        document = {"epoch": "e" * 64, "lost_numbers": [[1, 2], [3], "x", [4, "5"], [6, 7]], "settled_numbers": 3}

        assert parse_epoch(document) == Epoch("e" * 64, ((1, 2), (6, 7)), ())

    def test_writes_numbers_as_ranges(self) -> None:
        assert to_ranges([]) == ()
        assert to_ranges([1, 2, 3, 5, 7, 8]) == ((1, 3), (5, 5), (7, 8))


class TestRefusals:
    def test_are_counted_until_they_are_reported(self) -> None:
        counts = RefusalCounts()
        counts.note(1)
        counts.note(1)
        counts.note(2)
        report = counts.report()
        counts.note(1)

        counts.forget_reported([*report, {"number": 3, "count": 1}])

        assert [(one["number"], one["count"]) for one in report] == [(1, 2), (2, 1)]
        assert [(one["number"], one["count"]) for one in counts.report()] == [(1, 1)]

    def test_of_numbers_that_mean_something_else_are_forgotten(self) -> None:
        counts = RefusalCounts()
        counts.note(1)
        counts.note(2)

        counts.forget({2, 3})

        assert [one["number"] for one in counts.report()] == [1]


def test_a_machine_that_does_not_say_when_it_was_started_is_another_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(moments, "BOOT_ID", tmp_path / "absent")

    assert moments._boot() != moments._boot()
