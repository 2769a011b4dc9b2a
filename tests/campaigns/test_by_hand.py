"""What people say of who belongs together counts in every search from then on."""

from collections.abc import Iterable

from governance.campaigns.hand_made_rules import Belonging, HandMadeRule
from tests.campaigns.village import Village, harvest

FIVE, OTHER_FIVE = range(1, 6), range(11, 16)
OTHER_WRAPPERS = {21: 0.25, 22: 0.25, 23: 0.25, 24: 0.25}


def together(*accounts: int) -> HandMadeRule:
    return HandMadeRule(Belonging.TOGETHER, frozenset(accounts))


def apart(accounts: Iterable[int], others: Iterable[int]) -> HandMadeRule:
    return HandMadeRule(Belonging.APART, frozenset(accounts), frozenset(others))


def two_harvests() -> Village:
    village = Village()
    harvest(village, FIVE)
    harvest(village, OTHER_FIVE, wrappers=OTHER_WRAPPERS)
    return village


class TestTogether:
    def test_two_groups_become_one(self) -> None:
        assert two_harvests().campaigns([together(*FIVE, *OTHER_FIVE)]) == [{*FIVE, *OTHER_FIVE}]

    def test_an_account_that_nothing_ties_belongs_too(self) -> None:
        village = two_harvests()
        village.account(31)

        assert {*FIVE, 31} in village.campaigns([together(*FIVE, 31)])

    def test_a_group_with_one_of_them_among_others_stays_as_it_is(self) -> None:
        found = two_harvests().campaigns([together(*FIVE, 11)])

        assert sorted(map(sorted, found)) == [[*FIVE], [*OTHER_FIVE]]

    def test_a_licensed_account_stays_out(self) -> None:
        village = two_harvests()
        village.account(31, licensed=True)

        assert {*FIVE} in village.campaigns([together(*FIVE, 31)])

    def test_accounts_without_text_are_watched(self) -> None:
        village = Village()
        for number in FIVE:
            village.account(number, log_odds=None)

        [group] = village.search([together(*FIVE)])

        assert (set(group.members), group.verdict.is_campaign) == ({*FIVE}, False)


class TestApart:
    def test_one_group_becomes_two_that_are_judged_by_themselves(self) -> None:
        village = Village()
        harvest(village, range(1, 9))
        harvest(village, range(9, 13), log_odds=-2.0)

        found = village.search([apart(range(9, 13), range(1, 9))])

        assert {frozenset(group.members): group.verdict.is_campaign for group in found} == {
            frozenset(range(1, 9)): True,
            frozenset(range(9, 13)): False,
        }

    def test_an_account_set_apart_does_not_join_again_by_its_card(self) -> None:
        village = Village()
        harvest(village, FIVE, card=7)
        village.account(6, log_odds=None, card=7)
        joined = village.campaigns()

        assert (joined, village.campaigns([apart([6], FIVE)])) == ([{*FIVE, 6}], [{*FIVE}])

    def test_the_last_rule_counts(self) -> None:
        village = Village()
        harvest(village, range(1, 11))
        rules = [apart(range(6, 11), FIVE), together(*range(1, 11))]

        assert village.campaigns(rules) == [{*range(1, 11)}]
        assert sorted(map(min, village.campaigns([*rules, rules[0]]))) == [1, 6]
