"""Somebody who has left holds nothing: no session, and no case that others wait for."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.review.actions import claim
from governance.review.models import Case, Step
from tests.factories import PASSWORD, account, case, person
from tests.review.pages import address, block_form, signed_in, text

pytestmark = pytest.mark.django_db


def shut_out(email: str) -> str:
    said = StringIO()
    call_command("shut_out_user", email, stdout=said)
    return said.getvalue()


class TestSomebodyWhoIsShutOut:
    def test_holds_up_no_case(self) -> None:
        mira, jonas, harbour = person(), signed_in(person("Jonas Lindqvist")), case(account("acct_harbour"))
        kept = case(account("acct_quill"))
        claim(harbour, by=mira, now=timezone.now())
        claim(kept, by=person("Ines Varga"), now=timezone.now())
        assert "Mira Okafor is working on this" in text(jonas.get(address(harbour)))

        assert "1" in shut_out(mira.email)

        page = text(jonas.get(address(harbour)))
        assert 'name="action"' in page
        assert "Mira Okafor was shut out." in page
        assert jonas.post(address(harbour, "decide/"), block_form()).status_code == 302
        assert Case.objects.get(pk=harbour.pk).status == Case.Status.DECIDED
        assert Case.objects.get(pk=kept.pk).claimed_by is not None
        assert [step.case for step in Step.objects.filter(kind=Step.Kind.RELEASED)] == [harbour]
        assert Entry.objects.filter(verb="case.released", subject_id=str(harbour.pk)).count() == 1
        assert Entry.objects.filter(verb="user.deactivated", subject_id=str(mira.pk)).count() == 1

    def test_loses_every_session_for_good(self) -> None:
        mira = person()
        browser = signed_in(mira)
        shut_out(mira.email)
        mira.refresh_from_db()
        mira.is_active = True  # by hand, in the database
        mira.save(update_fields=["is_active"])

        assert browser.get("/queue/")["Location"].startswith("/sign-in/")
        assert Client().post("/sign-in/", {"username": mira.email, "password": PASSWORD}).status_code == 422

    def test_has_to_be_known(self) -> None:
        with pytest.raises(CommandError, match=r"^No member of staff has the address nobody@example\.com\.$"):
            shut_out("nobody@example.com")

    def test_frees_what_was_left_when_it_is_done_again(self) -> None:
        mira, harbour = person(), case()
        shut_out(mira.email)
        claim(harbour, by=mira, now=timezone.now())

        shut_out(mira.email)

        assert Case.objects.get().claimed_by is None
        assert Entry.objects.filter(verb="user.deactivated").count() == 1
