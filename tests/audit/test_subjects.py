"""Whom and what entries are about, as the admin's log shows it."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from governance.audit.actions import record
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.audit.verbs import Verb
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.review.actions import claim
from governance.staff.roles import Role
from governance.webhooks.actions import add_webhook
from tests.factories import MACHINE, NOW, account, api_key, case, person, restriction, service_key
from tests.review.pages import address, block_form, signed_in

pytestmark = pytest.mark.django_db
LOG = "/admin/audit/entry/"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture
def auditor() -> Client:
    return signed_in(person("Ines Varga", role=Role.AUDITOR))


def about(client: Client, verb: str) -> str:
    """The cell of the newest entry with this verb that says what it is about."""
    page = client.get(LOG, {"verb__exact": verb}).content.decode()
    [cell, *_] = re.findall(r'<td class="[^"]*field-about[^"]*"[^>]*>(.*?)</td>', page, re.DOTALL)
    return str(cell)


class TestTheLog:
    def test_names_the_account_of_a_case_that_was_claimed_and_leads_to_it(self, auditor: Client) -> None:
        opened = case(account("acct_harbour"))
        claim(opened, by=person(), now=NOW)

        cell = about(auditor, "case.claimed")

        assert f'<a href="/cases/{opened.pk}/">case of account acct_harbour</a>' in cell
        assert not UUID.search(re.sub(r'href="[^"]*"', "", cell))

    def test_names_the_restriction_that_a_decision_made(self, auditor: Client) -> None:
        opened = case(account("acct_harbour"))
        signed_in(person()).post(address(opened, "decide/"), block_form())
        number = Restriction.objects.get().number

        cell = about(auditor, "case.decided")

        assert "case of account acct_harbour</a>, " in cell
        link = reverse("admin:restrictions_restriction_change", args=[number])
        assert f'<a href="{link}">restriction no. {number}</a>' in cell

    def test_names_whom_a_restriction_is_against(self, auditor: Client) -> None:
        harbour = account("acct_harbour", organisation="org_harbour")
        lift(restriction(api_key(harbour, "key_1")), note="a mistake", by=MACHINE, now=NOW)
        assert "key key_1 of account acct_harbour</a>" in about(auditor, "restriction.lifted")

        assert harbour.organisation is not None
        restriction(harbour.organisation)
        assert "organisation org_harbour</a>" in about(auditor, "restriction.created")

    def test_names_people_service_keys_and_webhooks(self, auditor: Client) -> None:
        person("Jonas Lindqvist")
        service_key("access:read", name="edge-eu")
        add_webhook("https://hooks.example.com/in/s3cret", by=MACHINE, now=NOW)

        assert "Jonas Lindqvist (jonas" in about(auditor, "user.added")
        assert "service key edge-eu (swk_" in about(auditor, "service_key.issued")
        assert "webhook to hooks.example.com</a>" in about(auditor, "webhook.added")
        assert "s3cret" not in about(auditor, "webhook.added")

    def test_keeps_the_id_of_what_is_gone_or_of_a_kind_that_nobody_knows(self, auditor: Client) -> None:
        record(Verb.CASE_CLAIMED, subject=("case", "no uuid"), by=MACHINE, now=NOW)
        record(Verb.USAGE_DAY_DROPPED, subject=("thing", "7"), by=MACHINE, now=NOW)

        assert "case no uuid" in about(auditor, "case.claimed")
        assert "thing 7" in about(auditor, "usage.day_dropped")

    def test_shows_it_on_the_page_of_an_entry_too(self, auditor: Client) -> None:
        claim(case(account("acct_harbour")), by=person(), now=NOW)

        page = auditor.get(f"{LOG}{Entry.objects.latest('number').pk}/change/").content.decode()

        assert "case of account acct_harbour</a>" in page

    @pytest.mark.parametrize("many", [1, 7])
    def test_costs_the_same_queries_however_many_entries_there_are(
        self, auditor: Client, django_assert_num_queries: Any, many: int
    ) -> None:
        for _ in range(many):
            claim(case(), by=person(), now=NOW)
            restriction(account())
            service_key("access:read", name=str(uuid.uuid4()))
        auditor.get(LOG)

        # 1 session, 2 user, 3 number of entries, 4 entries, 5 kinds of subjects and 6 of actors to filter by, then
        # one for each kind of subject: 7 cases, 8 people, 9 accounts, 10 restrictions, 11 service keys
        with django_assert_num_queries(12):
            auditor.get(LOG)

    def test_changes_nothing_of_what_is_stored(self, auditor: Client) -> None:
        claim(case(account("acct_harbour")), by=person(), now=NOW)

        auditor.get(LOG)

        assert not [fault for fault in iter_chain_checks() if fault and fault.breaks_chain]


def test_every_kind_of_subject_that_is_a_uuid_has_a_name(auditor: Client) -> None:
    claim(case(), by=person(), now=NOW)
    service_key("access:read")
    add_webhook("https://hooks.example.com/", by=MACHINE, now=NOW)

    page = auditor.get(LOG).content.decode()

    cells = re.findall(r'<td class="[^"]*field-about[^"]*"[^>]*>(.*?)</td>', page, re.DOTALL)
    assert len(cells) == Entry.objects.count()
    assert not [cell for cell in cells if UUID.search(re.sub(r'href="[^"]*"', "", cell))]
