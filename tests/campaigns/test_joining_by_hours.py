"""Who joins a campaign by its hours, and by how little others do not."""

from collections.abc import Iterable, Sequence

import pytest

from governance.campaigns.groups import Basis
from governance.campaigns.joining import JoinedAccount
from tests.campaigns.circle import Circle
from tests.campaigns.village import MIDNIGHT, on_several_days


class TestHours:
    """Four members keep the same eight slots, each on another day, and a crowd two thousand others."""

    @staticmethod
    def core(*, crowd: int = 2_000, of_each: Sequence[Iterable[int]] = (range(8),) * 4) -> Circle:
        circle = Circle()
        circle.core(*({"slots": on_several_days(places)} for places in of_each))
        circle.add(slots=on_several_days(range(1_000, 1_000 + crowd)), log_odds=-3.0)
        return circle

    @pytest.mark.parametrize(
        ("within", "outside", "joins"),
        [
            pytest.param(8, 0, True, id="all of its slots"),
            pytest.param(4, 4, True, id="half of them, which is half of what is usual among members"),
            pytest.param(4, 5, False, id="less"),
            pytest.param(4, 0, True, id="four slots"),
            pytest.param(3, 0, False, id="three slots"),
        ],
    )
    def test_that_an_account_keeps_let_it_join(self, within: int, outside: int, *, joins: bool) -> None:
        circle = self.core()
        row = circle.add(slots=on_several_days([*range(within), *range(50, 50 + outside)]))

        assert circle.joining(Basis.HOURS) == ([JoinedAccount(row, 0, 1.0)] if joins else [])

    def test_let_nobody_join_a_campaign_that_was_found_by_wrappers(self) -> None:
        circle = self.core()
        circle.add(slots=on_several_days(range(8)))

        assert circle.joining(Basis.WRAPPERS) == []

    def test_let_an_account_without_text_join_but_no_product(self) -> None:
        circle = self.core()
        row = circle.add(slots=on_several_days(range(8)), log_odds=None)
        circle.add(slots=on_several_days(range(8)), log_odds=None, is_product=True)

        assert circle.joining(Basis.HOURS) == [JoinedAccount(row, 0, 1.0)]

    @pytest.mark.parametrize(("outside", "joins"), [(8, True), (9, False)])
    def test_need_be_kept_half_as_much_as_by_the_members(self, outside: int, *, joins: bool) -> None:
        """Half of a member's slots are its own, so that a slot of its is 0.625 of the members' on average."""
        of_each = [[*range(4), *range(10 + 4 * number, 14 + 4 * number)] for number in range(4)]
        circle = self.core(of_each=of_each)
        row = circle.add(slots=on_several_days([*range(4), *range(60, 60 + outside)]))

        assert [one.row for one in circle.joining(Basis.HOURS)] == ([row] if joins else [])

    @pytest.mark.parametrize(
        ("crowd", "joins"),
        [
            pytest.param(256 - 64 - 1, True, id="three and a half times as often as by chance"),
            pytest.param(256 - 64 - 2, False, id="less"),
        ],
    )
    def test_are_not_those_of_everybody(self, crowd: int, *, joins: bool) -> None:
        """A quarter of all activity is in the members' slots, and seven eighths of this account's."""
        circle = self.core(crowd=crowd)
        row = circle.add(slots=on_several_days([*range(7), 50]))
        for kept in (8, 8, 8, 1):
            circle.add(slots=on_several_days(range(kept)), log_odds=-3.0)

        assert [one.row for one in circle.joining(Basis.HOURS)] == ([row] if joins else [])


class TestDays:
    """An account has to keep a campaign's hours on two days: in slots that several members keep."""

    @pytest.mark.parametrize(("days", "joins"), [(1, False), (2, True)])
    def test_are_two_at_least(self, days: int, *, joins: bool) -> None:
        circle = Circle()
        circle.core(*[{"slots": [*at(0, range(6)), *at(1, range(6))]}] * 4)
        circle.add(slots=at(20, range(1_440)), log_odds=-3.0)
        row = circle.add(slots=at(0, range(6)) if days == 1 else [*at(0, range(5)), *at(1, [0])])
        circle.add(slots=[*at(0, range(6)), *at(1, range(6))], log_odds=-3.0)

        assert [one.row for one in circle.joining(Basis.HOURS)] == ([row] if joins else [])

    @pytest.mark.parametrize(("members", "joins"), [(1, False), (2, True)])
    def test_count_by_slots_that_two_members_keep(self, members: int, *, joins: bool) -> None:
        circle = Circle()
        circle.core(*({"slots": [*at(0, range(6)), *at(1, [0 if of < members else 10 + of])]} for of in range(4)))
        circle.add(slots=at(20, range(1_440)), log_odds=-3.0)
        row = circle.add(slots=[*at(0, range(6)), *at(1, [0])])

        assert [one.row for one in circle.joining(Basis.HOURS)] == ([row] if joins else [])

    @pytest.mark.parametrize(
        ("busy", "joins"),
        [
            pytest.param(27, True, id="a slot is that of a tenth of all accounts on average"),
            pytest.param(28, False, id="of more"),
        ],
    )
    def test_count_by_slots_that_members_keep_twice_as_much_as_others_keep_theirs(
        self, busy: int, *, joins: bool
    ) -> None:
        """Two of ten members keep the slot of the second day; nine other accounts are active at other times."""
        circle = Circle()
        circle.core(*({"slots": [*at(0, range(6)), *(at(1, [0]) if of < 2 else [])]} for of in range(10)))
        for own in range(9):
            circle.add(slots=[*at(0, range(10 + own, 9 + own + busy)), *at(1, [15])], log_odds=-3.0)
        row = circle.add(slots=[*at(0, range(6)), *at(1, [0])])

        assert [one.row for one in circle.joining(Basis.HOURS)] == ([row] if joins else [])


class TestTwoCampaignsByHours:
    @pytest.fixture
    def circle(self) -> Circle:
        circle = Circle()
        circle.core(*[{"slots": on_several_days(range(8)), "addresses": {7: 1.0}}] * 3)
        circle.core(*[{"slots": on_several_days(range(8, 16)), "addresses": {8: 1.0}}] * 3)
        circle.add(slots=on_several_days(range(1_000, 3_000)), log_odds=-3.0)
        return circle

    def test_get_each_its_own(self, circle: Circle) -> None:
        first = circle.add(slots=on_several_days(range(8)))
        second = circle.add(slots=on_several_days(range(8, 16)))

        assert circle.joining(Basis.HOURS) == [JoinedAccount(first, 0, 1.0), JoinedAccount(second, 1, 1.0)]

    @pytest.mark.parametrize(("share", "campaign"), [(0.3, 0), (0.6, 1)])
    def test_get_an_account_that_addresses_tie_to_the_other_by_what_counts_more(
        self, circle: Circle, share: float, campaign: int
    ) -> None:
        row = circle.add(slots=on_several_days(range(8)), addresses={8: share})

        assert circle.joining(Basis.HOURS) == [JoinedAccount(row, campaign, 1.0)]


def at(day: int, slots: Iterable[int]) -> list[int]:
    """Return these slots of a day."""
    return [MIDNIGHT + 144 * day + slot for slot in slots]
