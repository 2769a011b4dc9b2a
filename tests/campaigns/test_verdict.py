"""What a group's content says of it: every line at, just below and just above where it is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from governance.campaigns.groups import Basis, Candidates
from governance.campaigns.population import Numbers, Population
from governance.campaigns.verdict import Reason, Verdict, assess_groups, line_among, shared_prompt_share
from tests.campaigns.village import Village

# Words that each member opens half of its prompts in, and words that it hides among cover traffic.
MOSTLY = {11: 0.5}
SELDOM = {11: 0.1}


def population(log_odds: Sequence[float | None], **given: Any) -> Population:
    """Return accounts with these log-odds; the number of an account is its row."""
    village = Village()
    for number, odds in enumerate(log_odds):
        village.account(number, log_odds=odds, **{"wrappers": MOSTLY} | given)
    return village.population(others=0)


def own_prompts(rows: Numbers) -> list[Numbers]:
    return [np.array([row], dtype=np.uint64) for row in rows]


def assess(
    log_odds: Sequence[float | None], *, basis: Basis = Basis.WRAPPERS, hard_tied: bool = False, **given: Any
) -> Verdict:
    """Return the verdict about one group of accounts with these log-odds."""
    group = Candidates(basis, np.arange(len(log_odds)), hard_tied)
    [verdict] = assess_groups(population(log_odds, **given), [group], own_prompts)
    return verdict


def assess_population(people: Population) -> Verdict:
    [verdict] = assess_groups(people, [Candidates(Basis.WRAPPERS, np.arange(4))], own_prompts)
    return verdict


class TestTheLine:
    @pytest.mark.parametrize(
        ("means", "line"),
        [
            pytest.param([3.0] * 19, 0.7, id="too few groups to know what is usual"),
            pytest.param([0.4] * 20, 1.1, id="twenty"),
            pytest.param([-2.0] * 20, 0.7, id="never lower"),
            pytest.param([0.1 * number for number in range(21)], 2.2, id="a quarter of the groups are above 1.5"),
            pytest.param([0.12345] * 20, 0.823, id="rounded to a thousandth"),
        ],
    )
    def test_rises_with_what_most_groups_of_the_same_traffic_read_like(self, means: list[float], line: float) -> None:
        assert line_among(means) == line


class TestTheShareOfPromptsInCommon:
    @pytest.mark.parametrize(
        ("sketches", "share"),
        [
            pytest.param([], 0.0, id="of nobody"),
            pytest.param([[1, 2]], 0.0, id="of one alone"),
            pytest.param([[1, 2], [3]], 0.0, id="nothing"),
            pytest.param([[1, 2], [2]], 0.75, id="half of one's prompts, all of the other's"),
            pytest.param([[1], [2], [1]], 2 / 3, id="with one who is not the next"),
            pytest.param([[], [1, 2], [2]], 0.75, id="one whose prompts were not seen is left aside"),
            pytest.param([[1, 2], []], 0.0, id="and nobody is compared with it"),
        ],
    )
    def test_is_of_prompts_that_another_member_sent_too(self, sketches: list[list[int]], share: float) -> None:
        assert shared_prompt_share([np.array(own, dtype=np.uint64) for own in sketches]) == pytest.approx(share)


class TestContent:
    def test_is_that_of_the_members_with_text(self) -> None:
        verdict = assess([0.0, 0.5, 2.0, 2.0, None])

        assert (verdict.mean, verdict.positive, verdict.with_text) == (1.125, 0.75, 4)
        assert (verdict.line, verdict.is_covered) == (0.7, False)
        assert verdict.is_campaign

    @pytest.mark.parametrize(
        ("log_odds", "watched_for"),
        [
            pytest.param([0.7] * 4, None, id="a mean at the line"),
            pytest.param([0.69] * 4, Reason.CONTENT, id="a mean below it"),
            pytest.param([2.0] * 7 + [0.0] * 3, None, id="seven of ten above even"),
            pytest.param([3.0] * 6 + [0.0] * 4, Reason.CONTENT, id="six of ten above even"),
            pytest.param([3.0] * 3 + [None], None, id="three members with text"),
            pytest.param([3.0] * 2 + [None] * 2, Reason.CONTENT, id="two members with text"),
        ],
    )
    def test_makes_a_campaign_from_the_line_on(self, log_odds: list[float | None], watched_for: Reason | None) -> None:
        assert assess(log_odds).watched_for is watched_for

    def test_is_none_where_nobody_sends_text(self) -> None:
        verdict = assess([None] * 4)

        assert (verdict.mean, verdict.positive, verdict.with_text) == (0.0, 0.0, 0)
        assert (verdict.watched_for, verdict.is_covered) == (Reason.CONTENT, False)

    @pytest.mark.parametrize(("mean", "strength"), [(0.7, 0.5), (1.1, 0.75), (1.5, 1.0), (3.0, 1.0), (0.6, 0.0)])
    def test_counts_in_full_well_above_the_line(self, mean: float, strength: float) -> None:
        assert assess([mean] * 4).strength == pytest.approx(strength)


class TestAGroupBehindCoverTraffic:
    """Wrappers surely cover less than a fifth of its prompts: the half with the highest log-odds is judged."""

    @pytest.mark.parametrize(
        ("log_odds", "hard_tied", "mean"),
        [
            pytest.param([3.0] * 4 + [-3.0] * 4, False, 3.0, id="eight members"),
            pytest.param([3.0] * 4 + [-3.0] * 3, False, None, id="seven"),
            pytest.param([3.0] * 3 + [-3.0] * 3, True, 3.0, id="six that addresses or cards tie"),
            pytest.param([2.0] * 2 + [-3.0] * 2, True, None, id="four, of whom half are too few"),
            pytest.param([1.5] * 4 + [-3.0] * 4, False, 1.5, id="a half at its own line"),
            pytest.param([1.49] * 4 + [-3.0] * 4, False, None, id="a half below it"),
        ],
    )
    def test_is_judged_by_its_upper_half(self, log_odds: list[float], *, hard_tied: bool, mean: float | None) -> None:
        verdict = assess(log_odds, hard_tied=hard_tied, wrappers=SELDOM)

        assert verdict.is_covered is (mean is not None)
        assert verdict.mean == pytest.approx(np.mean(log_odds) if mean is None else mean)
        assert verdict.is_campaign is (mean is not None)

    @pytest.mark.parametrize(("share", "is_covered"), [(0.199, True), (0.2, False)])
    def test_is_one_whose_wrappers_cover_less_than_a_fifth_of_its_prompts(
        self, share: float, *, is_covered: bool
    ) -> None:
        assert assess([3.0] * 4 + [-3.0] * 4, wrappers={11: share}).is_covered is is_covered

    def test_needs_half_of_its_members_above_even(self) -> None:
        verdict = assess([4.0] * 4 + [-1.0] * 5, wrappers=SELDOM)

        assert (verdict.is_covered, verdict.mean, verdict.positive) == (True, 3.0, 4 / 9)
        assert verdict.watched_for is Reason.CONTENT

    @pytest.mark.parametrize(
        ("log_odds", "is_covered"),
        [
            pytest.param([3.0] * 7 + [-1.0] * 3, False, id="enough content, and seven of ten above even"),
            pytest.param([3.0] * 6 + [-1.0] * 4, True, id="enough content, but six of ten above even"),
            pytest.param([2.0] * 5 + [0.01] * 3 + [-3.0] * 2, True, id="eight of ten above even, but little content"),
            pytest.param([1.5] * 4 + [0.7] * 2 + [-0.9] * 2, False, id="both just so"),
        ],
    )
    def test_is_judged_as_any_other_where_its_content_is_enough(
        self, log_odds: list[float], *, is_covered: bool
    ) -> None:
        assert assess(log_odds, wrappers=SELDOM).is_covered is is_covered


class TestAFewWhoShareAPhrase:
    """Fewer than eight, tied by nothing but words that cover less than a fifth of their prompts."""

    @pytest.mark.parametrize(
        ("log_odds", "given", "is_campaign"),
        [
            pytest.param([1.49] * 7, {}, False, id="seven below the higher line"),
            pytest.param([1.5] * 7, {}, True, id="seven on it"),
            pytest.param([0.7] * 8, {}, True, id="eight"),
            pytest.param([0.7] * 7 + [None], {}, False, id="eight, one of them without text"),
            pytest.param([0.7] * 7, {"hard_tied": True}, True, id="tied by cards too"),
            pytest.param([0.7] * 7, {"basis": Basis.HOURS}, True, id="tied by their hours"),
            pytest.param([0.7] * 7, {"wrappers": {11: 0.21}}, True, id="the words cover more"),
        ],
    )
    def test_must_show_more(self, log_odds: list[float | None], given: dict[str, Any], *, is_campaign: bool) -> None:
        assert assess(log_odds, **{"wrappers": SELDOM} | given).is_campaign is is_campaign


class TestOneDomain:
    @pytest.mark.parametrize(
        ("at_one", "elsewhere", "watched_for"),
        [
            pytest.param(3, 2, Reason.INSTITUTION, id="three of five members"),
            pytest.param(4, 3, None, id="four of seven"),
        ],
    )
    def test_of_most_members_is_an_institutions(self, at_one: int, elsewhere: int, watched_for: Reason | None) -> None:
        village = Village()
        for number in range(at_one + elsewhere):
            domain = "uni.example" if number < at_one else f"{number}.example"
            village.account(number, wrappers=MOSTLY, email_domain=domain)
        group = Candidates(Basis.WRAPPERS, np.arange(at_one + elsewhere))

        [verdict] = assess_groups(village.population(others=0), [group], own_prompts)

        assert verdict.domain_share == at_one / (at_one + elsewhere)
        assert verdict.watched_for is watched_for

    @pytest.mark.parametrize(("accounts", "watched_for"), [(39, Reason.INSTITUTION), (40, None)])
    def test_of_forty_accounts_is_a_public_providers(self, accounts: int, watched_for: Reason | None) -> None:
        everybody = population([3.0] * accounts, email_domain="mail.example")

        assert assess_population(everybody).watched_for is watched_for

    def test_that_is_not_known_is_nobodys(self) -> None:
        verdict = assess([3.0] * 4, email_domain="")

        assert verdict.domain_share == 0.0
        assert verdict.is_campaign


class TestAnEvaluation:
    @pytest.mark.parametrize(
        ("evaluating", "watched_for"),
        [
            pytest.param([True, True, False, False], Reason.EVALUATION, id="half of the members"),
            pytest.param([True, True, False, False, False], None, id="two of five"),
        ],
    )
    def test_is_what_half_of_those_with_text_run(self, evaluating: list[bool], watched_for: Reason | None) -> None:
        village = Village()
        for number, runs in enumerate(evaluating):
            village.account(number, wrappers=MOSTLY, is_evaluation=runs)
        village.account(len(evaluating), wrappers=MOSTLY, log_odds=None, is_evaluation=False)
        group = Candidates(Basis.WRAPPERS, np.arange(len(evaluating) + 1))

        [verdict] = assess_groups(village.population(others=0), [group], own_prompts)

        assert verdict.watched_for is watched_for


class TestTheSamePrompts:
    @pytest.mark.parametrize(
        ("shared", "sent", "log_odds", "line", "watched_for"),
        [
            pytest.param(1, 10, 0.7, 0.7, None, id="a tenth is usual"),
            pytest.param(1, 7, 0.871, 0.871, None, id="a seventh, with content at the line that it raises"),
            pytest.param(1, 7, 0.87, 0.871, Reason.SAME_PROMPTS, id="a seventh, with content below it"),
            pytest.param(4, 10, 6.0, 1.9, Reason.SAME_PROMPTS, id="two fifths, whatever the content"),
        ],
    )
    def test_ask_for_more_content(
        self, shared: int, sent: int, log_odds: float, line: float, watched_for: Reason | None
    ) -> None:
        def prompts(rows: Numbers) -> list[Numbers]:
            return [
                np.array([*range(shared), *range(100 * row + 100, 100 * row + 100 + sent - shared)]) for row in rows
            ]

        [verdict] = assess_groups(population([log_odds] * 4), [Candidates(Basis.WRAPPERS, np.arange(4))], prompts)

        assert (verdict.overlap, verdict.line) == (shared / sent, line)
        assert verdict.watched_for is watched_for

    def test_are_looked_for_among_thirty_prompts_of_25_members_with_text(self) -> None:
        asked: list[list[int]] = []

        def prompts(rows: Numbers) -> list[Numbers]:
            """Thirty prompts of each one's own; only behind these the same."""
            asked.append(rows.tolist())
            return [np.array([*range(100 * row + 100, 100 * row + 130), 1, 2, 3]) for row in rows]

        everybody = population([None] + [3.0] * 29)
        [verdict] = assess_groups(everybody, [Candidates(Basis.WRAPPERS, np.arange(30))], prompts)

        assert asked == [[*range(1, 26)]]
        assert verdict.overlap == 0.0

    def test_are_not_looked_for_where_the_content_is_no_harvests(self) -> None:
        assert assess([-1.0] * 4).overlap is None


class TestAVerdict:
    def test_is_compared_with_those_of_the_other_groups(self) -> None:
        everybody = population([2.0] * 4 + [-1.0] * 4 + [-0.5] * 4)
        groups = [Candidates(Basis.WRAPPERS, np.arange(start, start + 4)) for start in (0, 4, 8)]

        verdicts = assess_groups(everybody, groups, own_prompts)

        assert [verdict.is_campaign for verdict in verdicts] == [True, False, False]
        assert {(verdict.others, verdict.highest_other) for verdict in verdicts} == {(2, -0.5)}

    def test_is_compared_with_none_where_every_group_is_a_campaign(self) -> None:
        verdict = assess([3.0] * 4)

        assert (verdict.others, verdict.highest_other) == (0, None)
