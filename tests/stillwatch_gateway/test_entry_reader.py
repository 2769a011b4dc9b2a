"""One restriction of a message, read as far as it can be: exact results, fault by fault. Pure."""

from datetime import UTC, datetime
from math import inf
from typing import Any

import pytest

from stillwatch_gateway.entries import EntryTerms, RestrictionEntry
from stillwatch_gateway.entry_reader import LONGEST_NAME, ReadEntry, is_number, read_entry, usable_entries

SINCE = datetime(2026, 11, 2, 9, 14, tzinfo=UTC).timestamp()
BLOCK = EntryTerms("block", "bulk_harvest")


def payload(**members: Any) -> dict[str, Any]:
    whole = {
        "number": 7,
        "kind": "block",
        "against": "account",
        "denies": True,
        "reason": "bulk_harvest",
        "from": "2026-11-02T09:14:00+00:00",
        "until": None,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "withheld": [],
        "names": {"account": ["a"], "key": ["k"]},
    }
    return {name: value for name, value in (whole | members).items() if value != "missing"}


def read(**members: Any) -> RestrictionEntry:
    entry, fault = read_entry(payload(**members))
    assert fault == ""
    assert entry is not None
    return entry


class TestARestriction:
    def test_is_read_whole(self) -> None:
        assert read_entry(payload()) == ReadEntry(
            RestrictionEntry(7, BLOCK, SINCE, inf, ("account:a", "key:k"), target="account:a"), ""
        )

    @pytest.mark.parametrize("number", ["missing", None, "7", True, -1, 1.0, 2**63])
    def test_without_a_number_is_none(self, number: object) -> None:
        assert read_entry(payload(number=number)) == ReadEntry(None, "a restriction has no number")

    @pytest.mark.parametrize("whatever", [None, [], "x", 7])
    def test_that_is_no_object_is_none(self, whatever: object) -> None:
        assert read_entry(whatever) == ReadEntry(None, "a restriction has no number")

    def test_may_have_no_faults_but_its_kind(self) -> None:
        entry, fault = read_entry(payload(kind="banish", denies=False))

        assert entry is None
        assert fault == "restriction 7: kind 'banish' is not known"


class TestTerms:
    def test_are_read_as_they_are_said(self) -> None:
        asked = payload(
            kind="throttle", denies=False, requests_per_minute=60, tokens_per_minute=0, withheld=["b", "a"], reason="x"
        )

        entry, fault = read_entry(asked)

        assert (entry and entry.terms, fault) == (EntryTerms("throttle", "x", 60, 0, ("a", "b")), "")

    @pytest.mark.parametrize("limits", [{"requests_per_minute": 5}, {"tokens_per_minute": 5}])
    def test_of_a_throttle_have_one_limit_at_least(self, limits: dict[str, int]) -> None:
        read(kind="throttle", denies=False, **limits)

        assert read_entry(payload(kind="throttle", denies=False)) == ReadEntry(
            None, "restriction 7: a throttle has no limit"
        )

    @pytest.mark.parametrize(
        ("kind", "denies", "own_word"),
        [
            ("block", True, None),
            ("block", False, False),
            ("watch", False, None),
            ("watch", True, True),
            ("block", "missing", None),
            ("watch", "missing", None),
            ("suspend", "yes", None),
        ],
    )
    def test_keep_the_word_of_the_message_where_it_differs_from_the_kind(
        self, kind: str, denies: object, own_word: object
    ) -> None:
        assert read(kind=kind, denies=denies).terms.denies is own_word

    @pytest.mark.parametrize("denies", ["missing", None, 1, True])
    def test_of_a_kind_that_is_not_known_deny_unless_they_say_otherwise(self, denies: object) -> None:
        entry, fault = read_entry(payload(kind="banish", denies=denies))

        assert entry is not None
        assert (entry.terms.kind, entry.terms.denies) == ("banish", True)
        assert fault == "restriction 7: kind 'banish' is not known"

    @pytest.mark.parametrize("kind", ["missing", None, 7, ""])
    def test_without_a_kind_are_of_an_unknown_one(self, kind: object) -> None:
        entry, fault = read_entry(payload(kind=kind, denies="missing"))

        assert (entry and entry.terms) == EntryTerms("unknown", "bulk_harvest", denies=True)
        assert fault == "restriction 7: kind '' is not known"

    def test_show_no_more_of_a_kind_than_of_a_name(self) -> None:
        _, fault = read_entry(payload(kind="x" * 201))

        assert fault == f"restriction 7: kind {'x' * 200!r} is not known"

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"reason": ""}, "reason is no text"),
            ({"reason": 5}, "reason is no text"),
            ({"requests_per_minute": "5"}, "requests_per_minute is no number"),
            ({"tokens_per_minute": -1}, "tokens_per_minute is no number"),
            ({"withheld": "logprobs"}, "withheld is no list of texts"),
            ({"withheld": [""]}, "withheld is no list of texts"),
            ({"withheld": ["a", 1]}, "withheld is no list of texts"),
            ({"reason": None, "withheld": None}, "withheld is no list of texts, reason is no text"),
        ],
    )
    def test_that_cannot_be_read_deny_all_the_same(self, members: dict[str, Any], fault: str) -> None:
        entry, said = read_entry(payload(**members))

        assert said == f"restriction 7: {fault}"
        assert entry is not None
        assert entry.terms == BLOCK._replace(reason="unknown" if "reason" in members else "bulk_harvest")

    def test_may_leave_out_what_is_withheld(self) -> None:
        assert read(withheld="missing").terms == BLOCK

    @pytest.mark.parametrize(
        ("against", "names", "each"),
        [
            ("organisation", {"account": ["a"]}, True),
            ("missing", {"organisation": ["o"], "account": ["a"]}, True),
            ("account", {"account": ["a"]}, False),
            ("missing", {"account": ["a"], "key": ["k"]}, False),
        ],
    )
    def test_count_each_account_where_an_organisation_is_restricted(
        self, against: str, names: dict[str, list[str]], *, each: bool
    ) -> None:
        assert read(against=against, names=names).terms.each_account is each


class TestTimes:
    def test_are_seconds_since_1970(self) -> None:
        entry = read(until="2026-11-02T09:15:00+00:00")

        assert (entry.since, entry.until) == (SINCE, SINCE + 60)

    @pytest.mark.parametrize("bad", ["x", "2026-11-02T09:14:00", 5, "missing", None])
    def test_that_cannot_be_read_have_begun(self, bad: object) -> None:
        entry, fault = read_entry(payload(**{"from": bad}))

        assert entry is not None
        assert (entry.since, entry.until, fault) == (0.0, inf, "restriction 7: from is no time with a time zone")

    @pytest.mark.parametrize("bad", ["x", "2030-11-02T09:14:00", 5, []])
    def test_that_cannot_be_read_never_come(self, bad: object) -> None:
        entry, fault = read_entry(payload(until=bad))

        assert entry is not None
        assert (entry.since, entry.until, fault) == (SINCE, inf, "restriction 7: until is no time with a time zone")

    @pytest.mark.parametrize("until", ["2026-11-02T09:14:00+00:00", "2026-11-02T09:13:59+00:00"])
    def test_that_end_before_they_start_never_end(self, until: str) -> None:
        entry, fault = read_entry(payload(until=until))

        assert entry is not None
        assert (entry.until, fault) == (inf, "restriction 7: it ends before it starts")

    def test_may_be_a_microsecond_apart(self) -> None:
        assert read(until="2026-11-02T09:14:00.000001+00:00").until > SINCE


class TestNames:
    @pytest.mark.parametrize(
        ("named", "names", "fault"),
        [
            ("missing", (), "it does not say whom it is against, it names nobody"),
            ([], (), "it does not say whom it is against, it names nobody"),
            ({}, (), "it names nobody"),
            ({"account": "a"}, (), "names of kind 'account' cannot be read, it names nobody"),
            ({"account": ["a", 7], "key": ["k"]}, ("account:a", "key:k"), "names of kind 'account' cannot be read"),
            ({"account": ["", "a"]}, ("account:a",), "names of kind 'account' cannot be read"),
            ({"account": ["x" * 201]}, (), "names of kind 'account' cannot be read, it names nobody"),
            ({"project": ["p"]}, ("project:p",), "it names nobody"),
            ({"p" * 201: 5, "key": ["k"]}, ("key:k",), f"names of kind {'p' * 200!r} cannot be read"),
        ],
    )
    def test_that_cannot_be_read_are_left_out(self, named: Any, names: tuple[str, ...], fault: str) -> None:
        entry, said = read_entry(payload(names=named))

        assert said == f"restriction 7: {fault}"
        assert (entry.names if entry else ()) == names

    def test_may_be_as_long_as_any_name(self) -> None:
        assert read(names={"account": ["x" * LONGEST_NAME]}).names == (f"account:{'x' * 200}",)

    def test_that_change_are_told_apart_from_all_names(self) -> None:
        changed = {"names": "missing", "names_added": {"key": ["new"]}, "names_removed": {"key": ["old"]}}

        entry = read(**changed)

        assert (entry.names, entry.removed, entry.is_whole) == (("key:new",), ("key:old",), False)
        assert entry.target == "account:"

    def test_may_be_removed_only(self) -> None:
        entry = read(names="missing", names_added={}, names_removed={"account": ["old"]})

        assert (entry.names, entry.removed) == ((), ("account:old",))

    @pytest.mark.parametrize(
        ("against", "target"),
        [
            ("account", "account:a"),
            ("key", "key:k"),
            ("organisation", "organisation:"),
            ("project", "account:a"),
            ("missing", "account:a"),
        ],
    )
    def test_hold_whom_it_is_against(self, against: str, target: str) -> None:
        assert read(against=against, names={"key": ["k"], "account": ["a", "b"]}).target == target

    def test_of_older_releases_are_against_the_widest(self) -> None:
        names = {"digest": ["d"], "key": ["k"], "account": ["a"], "organisation": ["o"]}

        assert read(against="missing", names=names).target == "organisation:o"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, True), (2**63 - 1, True), (2**63, False), (-1, False), (True, False), (1.0, False), ("1", False)],
)
def test_a_number_is_a_whole_one_that_databases_hold(value: object, *, expected: bool) -> None:
    assert is_number(value) is expected


def test_what_cannot_be_read_is_collected_and_the_rest_goes_on() -> None:
    faults = ["before"]
    good = RestrictionEntry(1, BLOCK, 0.0, inf, ("account:a",))

    usable = list(usable_entries([ReadEntry(None, "x"), ReadEntry(good), ReadEntry(good, "y")], faults))

    assert (usable, faults) == ([good, good], ["before", "x", "y"])
