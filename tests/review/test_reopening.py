from datetime import timedelta

from governance.review.reopening import QUIET_FOR, WORSE_BY, Earlier, deserves_a_case
from tests.factories import NOW


def after(*, score: int = 60, denied: bool = False) -> Earlier:
    return Earlier(score=score, decided_at=NOW, access_denied=denied)


class TestAnAccountDeservesACase:
    def test_when_nobody_has_decided_about_it(self) -> None:
        assert deserves_a_case(60, earlier=None, now=NOW)

    def test_never_while_its_access_is_denied(self) -> None:
        assert not deserves_a_case(100, earlier=after(denied=True), now=NOW + 10 * QUIET_FOR)

    def test_at_once_when_its_score_is_clearly_worse(self) -> None:
        assert deserves_a_case(60 + WORSE_BY, earlier=after(), now=NOW)

    def test_not_yet_when_its_score_is_much_the_same(self) -> None:
        assert not deserves_a_case(60 + WORSE_BY - 1, earlier=after(), now=NOW + QUIET_FOR - timedelta(seconds=1))

    def test_again_a_fortnight_after_the_decision(self) -> None:
        assert deserves_a_case(60, earlier=after(), now=NOW + QUIET_FOR)
