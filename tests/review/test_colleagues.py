"""To find the colleague whom somebody names."""

import pytest

from governance.review.inbox import find_colleague
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import person

pytestmark = pytest.mark.django_db


def colleague(name: str, *, email: str) -> User:
    made = person(name)
    User.objects.filter(pk=made.pk).update(email=email)
    return made


class TestAColleague:
    @pytest.mark.parametrize(
        "text",
        [
            *("Juergen Öztürk", "juergen öztürk", "  JUERGEN ÖZTÜRK "),
            *("juergen.oeztuerk@example.com", "Juergen.Oeztuerk@Example.com"),
            *("@juergen.oeztuerk", "@Juergen.Oeztuerk", "juergen.oeztuerk"),
        ],
    )
    def test_is_found_by_name_e_mail_address_and_mention_in_any_case(self, text: str) -> None:
        juergen = colleague("Juergen Öztürk", email="juergen.oeztuerk@example.com")
        person("Mira Okafor")

        assert find_colleague(text) == juergen

    @pytest.mark.parametrize("text", ["", "@", "Jonas", "Jonas Lind", "jonas lindqvist@example.com", "%"])
    def test_is_not_found_by_anything_else(self, text: str) -> None:
        person("Jonas Lindqvist")

        assert find_colleague(text) is None

    def test_is_nobody_where_two_have_the_name(self) -> None:
        first = colleague("Jonas Lind", email="jonas@example.com")
        second = colleague("Jonas Lind", email="jl@example.com")

        assert find_colleague("jonas lind") is None
        assert (find_colleague("jonas@example.com"), find_colleague("@jl")) == (first, second)

    def test_is_nobody_who_may_not_sign_in_or_work_on_cases(self) -> None:
        person("Jonas Lind")
        User.objects.update(is_active=False)
        person("Ines Varga", role=Role.AUDITOR)

        assert find_colleague("Jonas Lind") is None
        assert find_colleague("Ines Varga") is None
