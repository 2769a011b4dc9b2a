"""What every template keeps to."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from governance.review.models import to_action
from governance.review.shortcuts import MOVING, WORKING
from governance.staff.roles import Role
from tests.factories import case, person
from tests.review.pages import address, signed_in, text

TEMPLATES = Path(settings.BASE_DIR) / "templates"
FORMS = [
    (template.relative_to(TEMPLATES), form)
    for template in sorted(TEMPLATES.rglob("*.html"))
    for form in re.findall(r"<form.*?</form>", template.read_text(), re.DOTALL)
]
TYPED = r"<(textarea|input(?![^>]*type=\"?(hidden|radio|checkbox|submit|password)))"
# Nothing of one's own is written there.
UNDRAFTED = {
    *("staff/sign_in.html", "review/queue/filters.html", "review/restrictions_filters.html", "shell/palette.html"),
    *("review/campaign/filters.html", "investigation/accounts_filters.html", "investigation/search_form.html"),
    "audit/period_filter.html",
    "overview/log/filters.html",
    "overview/settings/whom.html",
    *("staff/second_step.html", "staff/add_app.html", "staff/add_passkey.html"),  # for a moment
}
BY_SCRIPT = {"j", "k", "x", "Enter", "Ctrl Enter", "Ctrl K", "digit", "Esc"}


class TestAForm:
    @pytest.mark.parametrize(("template", "form"), FORMS)
    def test_in_which_somebody_types_is_kept_until_it_is_sent(self, template: Path, form: str) -> None:
        if re.search(TYPED, form) and str(template) not in UNDRAFTED:
            assert "data-draft=" in form
            assert "hx-post" in form or "hx-boost" in form, "only htmx says whether it was sent"

    @pytest.mark.parametrize(("template", "form"), FORMS)
    def test_cuts_nothing_off(self, template: Path, form: str) -> None:
        if str(template) not in UNDRAFTED:
            assert "maxlength" not in form


class TestTheHelp:
    def test_lists_every_key_of_every_page_and_no_other(self) -> None:
        pages = "\n".join(template.read_text() for template in TEMPLATES.rglob("*.html"))
        keyed = set(re.findall(r'\bkey="([^"{]+)"', pages))
        listed = {
            key
            for shortcut in (*MOVING, *WORKING)
            if not shortcut.are
            for key in (shortcut.keys if {"j"} & set(shortcut.keys) else [" ".join(shortcut.keys)])
        }

        assert listed == keyed | BY_SCRIPT

    @pytest.mark.django_db
    def test_numbers_the_actions_as_the_form_does(self) -> None:
        page = text(signed_in(person()).get(address(case())))

        help_text = re.search(r"<kbd>1</kbd>–<kbd>(\d)</kbd></dt>\s*<dd>([^<]*)</dd>", page)
        assert help_text is not None
        actions = re.findall(r'name="action" value="(\w+)" data-key="(\d)"', page)
        assert help_text[2].split(", ") == [to_action(action).label.lower() for action, _ in actions]
        assert help_text[1] == actions[-1][1]

    @pytest.mark.django_db
    @pytest.mark.parametrize(("role", "listed"), [(Role.REVIEWER, False), (Role.LEAD, True)])
    def test_lists_no_page_that_somebody_may_not_see(self, role: Role, listed: bool) -> None:  # noqa: FBT001
        page = text(signed_in(person(role=role)).get("/queue/"))

        assert ("go to policy" in page) is listed
