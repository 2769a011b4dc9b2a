"""The top bar fits beside the rest of the page at every width, in a real browser."""

import pytest

from governance.staff.roles import Role
from tests.factories import person
from tests.flows.browser import DESKTOP, Open, open_signed_in

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
def test_no_page_scrolls_sideways_for_its_top_bar(open_page: Open, role: Role) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(role=role), "/words/")

    for width in (320, 390, 768, 800, 1024, 1200, 1280, 1320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
