"""The case page of an account, as somebody sees it."""

from governance.review.models import Case
from governance.staff.roles import Role
from tests.factories import (
    person,
)
from tests.review.pages import address, signed_in, text


def page_of(about: Case, *, role: Role = Role.REVIEWER) -> str:
    return text(signed_in(person("Ines Varga", role=role)).get(address(about)))
