from datetime import timedelta

import pytest

from governance.review.reopening_rules import QUIET_FOR, WORSE_BY, LastDecision, needs_case
from tests.factories import NOW


def deserves(score: int, *, after: int | None = 60, denied: bool = False, later: timedelta = timedelta(0)) -> bool:
    earlier = LastDecision(score=after, decided_at=NOW) if after is not None else None
    return needs_case(score, earlier=earlier, access_denied=denied, now=NOW + later)


class TestAnAccountDeservesACase:
    def test_when_nobody_has_decided_about_it(self) -> None:
        assert deserves(60, after=None)

    @pytest.mark.parametrize("after", [60, None])
    def test_never_while_its_access_is_denied(self, after: int | None) -> None:
        assert not deserves(100, after=after, denied=True, later=10 * QUIET_FOR)

    def test_at_once_when_its_score_is_clearly_worse(self) -> None:
        assert deserves(60 + WORSE_BY)

    def test_not_yet_when_its_score_is_much_the_same(self) -> None:
        assert not deserves(60 + WORSE_BY - 1, later=QUIET_FOR - timedelta(seconds=1))

    def test_again_a_fortnight_after_the_decision(self) -> None:
        assert deserves(60, later=QUIET_FOR)
