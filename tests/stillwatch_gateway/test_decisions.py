"""What is decided about a request, by what is in force on any of its names. Pure."""

import pytest

from stillwatch_gateway.entries import EntryTerms, Throttle
from stillwatch_gateway.restriction_set import Decision, RestrictionSet
from tests.stillwatch_gateway.entries import BLOCK, NOW, WATCH, allowed, entry


class TestADecision:
    def test_is_that_of_the_strongest_and_has_the_limits_of_all(self) -> None:
        throttles = [EntryTerms("throttle", "other", 60, 9000), EntryTerms("throttle", "other", 90, 100)]
        withheld = EntryTerms("withhold", "other", withheld=("reasoning", "logprobs"))
        names = ("account:a", "key:k")
        restricted = RestrictionSet(
            [entry(1, *names, terms=throttles[0]), entry(2, *names, terms=throttles[1]), entry(3, terms=withheld)], 3
        )
        restricted.change(4, entry(4, "account:a", terms=withheld), None)

        decision = restricted.decide(names, now=NOW)

        assert (decision.allowed, decision.kind, decision.number) == (True, "withhold", 4)
        assert (decision.requests_per_minute, decision.tokens_per_minute) == (60, 100)
        assert decision.withheld == ("logprobs", "reasoning")

    @pytest.mark.parametrize("lowest", range(1, 6))
    def test_regards_every_restriction_of_a_name(self, lowest: int) -> None:
        throttles = [EntryTerms("throttle", "other", 10 if n == lowest else 90) for n in range(1, 6)]
        others = [entry(n) for n in range(6, 500)]
        restricted = RestrictionSet([*(entry(n, "key:k", terms=throttles[n - 1]) for n in range(1, 6)), *others], 499)

        assert restricted.decide(["key:k"], now=NOW).requests_per_minute == 10

    def test_says_all_that_is_known_of_a_single_restriction(self) -> None:
        terms = EntryTerms("throttle", "other", 60, 900, ("logprobs",))
        restricted = RestrictionSet([entry(3, terms=terms), entry(4)], 7, "e1")

        assert restricted.decide(["account:acct_3"], now=NOW, age=2.5) == Decision(
            allowed=True, kind="throttle", reason="other", number=3, requests_per_minute=60, tokens_per_minute=900,
            withheld=("logprobs",), sequence=7, age=2.5, throttles=(Throttle(3, 60),), epoch="e1",
        )  # fmt: skip
        assert restricted.decide(["account:acct_4"], now=NOW) == Decision(
            allowed=False, kind="block", reason="bulk_harvest", number=4, requests_per_minute=None,
            tokens_per_minute=None, withheld=(), sequence=7, age=0.0, epoch="e1",
        )  # fmt: skip

    def test_says_all_that_is_known_of_several_restrictions(self) -> None:
        slow, slower = EntryTerms("throttle", "other", 60), EntryTerms("throttle", "resold_access", 50, 7)
        entries = [entry(1, "key:k", terms=slow), entry(2, "key:k", terms=slower), entry(3, "key:k", terms=WATCH)]

        assert RestrictionSet(entries, 7, "e1").decide(["key:k"], now=NOW, age=2.5) == Decision(
            allowed=True, kind="throttle", reason="resold_access", number=2, requests_per_minute=50,
            tokens_per_minute=7, withheld=(), sequence=7, age=2.5, throttles=(Throttle(1, 60), Throttle(2, 50)),
            epoch="e1",
        )  # fmt: skip

    def test_says_what_it_goes_by_where_nothing_is_in_force(self) -> None:
        restricted, nothing = RestrictionSet([entry(1), entry(2)], 7, "e1"), Decision(
            allowed=True, kind=None, reason=None, number=None, requests_per_minute=None, tokens_per_minute=None,
            withheld=(), sequence=7, age=2.5, epoch="e1",
        )  # fmt: skip

        assert restricted.decide(["account:b"], now=NOW, age=2.5) == nothing
        assert restricted.decide_among({1}, ["account:acct_2"], now=NOW, age=2.5) == nothing
        assert (restricted.decide(["account:b"], now=NOW).age, nothing.because, nothing.throttles) == (0.0, "", ())

    def test_may_go_by_some_of_the_restrictions_only(self) -> None:
        restricted = RestrictionSet([entry(1, "key:k"), entry(2, "key:k"), entry(3, "account:a")], 7, "e1")

        decision = restricted.decide_among({1, 3}, ["key:k"], now=NOW, age=2.5)

        assert (decision.number, decision.sequence, decision.age, decision.epoch) == (1, 7, 2.5, "e1")
        assert restricted.decide_among({1, 3}, ["key:x", "account:a"], now=NOW, age=0.0).number == 3

    @pytest.mark.parametrize(
        ("terms", "is_allowed"),
        [
            (BLOCK, False),
            (BLOCK._replace(denies=False), True),
            (WATCH._replace(denies=True), False),
            (EntryTerms("banish", "other", denies=True), False),
            (EntryTerms("banish", "other"), True),
        ],
    )
    @pytest.mark.parametrize("others", [0, 1])
    def test_goes_by_what_the_message_says_before_what_the_kind_does(
        self, terms: EntryTerms, others: int, *, is_allowed: bool
    ) -> None:
        restricted = RestrictionSet([entry(1, "key:k", terms=terms), *[entry(2, "key:k", terms=WATCH)] * others], 2)

        assert restricted.decide(["key:k"], now=NOW).allowed is is_allowed

    def test_is_that_of_a_known_kind_before_an_unknown_one_of_the_newest_of_two(self) -> None:
        unknown = EntryTerms("banish", "other", denies=True)
        restricted = RestrictionSet(
            [
                entry(1, "key:k", "key:l"),
                entry(2, "key:k", "key:l"),
                entry(3, "key:k", terms=unknown),
                entry(4, "key:k", terms=EntryTerms("verify", "other")),
            ],
            4,
        )

        assert restricted.decide(["key:k"], now=NOW).number == 2

    @pytest.mark.parametrize(
        ("names", "customer"),
        [
            (["organisation:o", "digest:d", "account:a"], "account:a"),
            (["organisation:o", "digest:d"], "digest:d"),
            (["organisation:o", "account:x"], "organisation:o"),
        ],
    )
    @pytest.mark.parametrize("others", [0, 1])
    def test_says_whom_an_organisations_limit_is_counted_for(
        self, names: list[str], customer: str, others: int
    ) -> None:
        own = EntryTerms("throttle", "other", 60, each_account=True)
        alone = [entry(2, "organisation:o", terms=EntryTerms("throttle", "other", 70))] * others
        restricted = RestrictionSet([entry(1, "organisation:o", "account:a", "digest:d", terms=own), *alone], 2)

        decision = restricted.decide(names, now=NOW)

        assert decision.throttles == (Throttle(1, 60, customer), *[Throttle(2, 70)] * others)

    @pytest.mark.parametrize(("now", "lets_in"), [(9.0, True), (10.0, False), (19.9, False), (20.0, True)])
    def test_holds_to_the_times_of_what_was_published_since(self, now: float, *, lets_in: bool) -> None:
        restricted = RestrictionSet()
        restricted.change(1, entry(1, since=10.0, until=20.0), None)

        assert allowed(restricted, "acct_1", now=now) is lets_in
