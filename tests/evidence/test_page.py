"""Who may see and ask for evidence, and what becomes of a bundle that was asked for."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from governance.audit.models import Entry
from governance.audit.publishing import publish
from governance.evidence import unfinished
from governance.evidence.models import EvidenceBundle
from governance.evidence.scope import NOT_PUBLISHED
from governance.evidence.unfinished import make_evidence_bundles
from governance.platform.locks import Lock
from governance.review.actions import add_note
from governance.review.models import Case
from governance.staff.roles import Role
from tests.evidence.bundles import asked, make, page_of
from tests.factories import NOW, account, campaign_case, person
from tests.review.pages import signed_in, text

pytestmark = pytest.mark.django_db


class TestThePage:
    @pytest.mark.parametrize(
        ("role", "status"),
        [(Role.REVIEWER, 403), (Role.POLICY_ENGINEER, 403), (Role.LEAD, 200), (Role.AUDITOR, 200), (Role.ADMIN, 200)],
    )
    def test_is_for_leads_auditors_and_admins(self, harbour: Case, role: Role, status: int) -> None:
        browser = signed_in(person("Somebody", role=role))

        assert browser.get(page_of(harbour)).status_code == status
        assert (f'href="{page_of(harbour)}"' in text(browser.get(f"/cases/{harbour.pk}/"))) == (status == 200)

    @pytest.mark.parametrize("role", [Role.REVIEWER])
    def test_takes_no_request_from_others(self, harbour: Case, role: Role) -> None:
        assert signed_in(person("Mira Okafor", role=role)).post(page_of(harbour), asked()).status_code == 403
        assert not EvidenceBundle.objects.exists()

    def test_asks_for_a_bundle_once_however_often_it_is_sent(self, harbour: Case, ines: Client) -> None:
        form = asked(redact="staff")

        assert [ines.post(page_of(harbour), form).status_code for _ in range(2)] == [302, 302]

        bundle = EvidenceBundle.objects.get()
        assert (bundle.withheld, bundle.state, bundle.with_excerpts) == (["staff"], "waiting", False)
        assert "Being made" in text(ines.get(page_of(harbour)))

    def test_wants_a_reason_for_excerpts(self, harbour: Case, ines: Client) -> None:
        answer = ines.post(page_of(harbour), asked(excerpts="on"))

        assert answer.status_code == 422
        assert "Enter why excerpts have to be in it." in text(answer)
        assert not EvidenceBundle.objects.exists()

    def test_offers_no_excerpts_of_a_campaign(self, ines: Client) -> None:
        opened = campaign_case(account("acct_a"), account("acct_b"))

        assert "excerpts have to be" not in text(ines.get(page_of(opened)))
        ines.post(page_of(opened), asked(excerpts="on", reason="Case 12/26."))
        assert not EvidenceBundle.objects.get().with_excerpts

    def test_needs_few_queries(
        self, harbour: Case, ines: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            ines.post(page_of(harbour), asked())
        ines.get(page_of(harbour))

        # Session, user, the case with its account, the bundles.
        with django_assert_num_queries(4):
            ines.get(page_of(harbour))

    def test_shows_how_far_a_bundle_is(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        EvidenceBundle.objects.update(done=2_000, total=24_000)

        shown = text(ines.get(page_of(harbour), headers={"HX-Request": "true", "HX-Target": "evidence-bundles"}))

        assert "2,000 of 24,000 records" in shown
        assert "<html" not in shown


class TestABundle:
    def test_is_made_by_a_worker_and_downloaded(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())

        bundle = make()

        assert (bundle.state, bundle.done) == ("made", bundle.total)
        answer = ines.post(f"/evidence/{bundle.pk}/download/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        assert answer.content == bundle.file.read_bytes()
        exported, downloaded = Entry.objects.filter(verb__startswith="evidence.").oldest_first()
        assert exported.details["sha256"] == downloaded.details["sha256"] == bundle.sha256
        assert exported.actor_name == downloaded.actor_name == "Ines Varga"

    def test_that_is_not_ready_cannot_be_downloaded(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())

        assert ines.post(f"/evidence/{EvidenceBundle.objects.get().pk}/download/").status_code == 404

    def test_is_downloaded_by_no_reviewer(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        bundle = make()

        assert signed_in(person("Mira Okafor")).post(f"/evidence/{bundle.pk}/download/").status_code == 403
        assert not Entry.objects.filter(verb="evidence.downloaded").exists()

    def test_whose_file_is_elsewhere_says_so(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        bundle = make()
        bundle.file.unlink()

        answer = ines.post(f"/evidence/{bundle.pk}/download/", follow=True)

        assert "The file cannot be read here" in text(answer)
        assert not Entry.objects.filter(verb="evidence.downloaded").exists()

    def test_without_a_published_log_says_why_it_failed(self, harbour: Case, ines: Client, settings: Settings) -> None:
        settings.AUDIT_KEYS = []
        ines.post(page_of(harbour), asked())

        bundle = make()

        assert bundle.state == "failed"
        assert "The audit log is not published" in text(ines.get(page_of(harbour)))

    def test_that_fails_three_times_is_given_up(
        self, harbour: Case, ines: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        words = "the words of a customer"

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError(words)

        monkeypatch.setattr(unfinished, "make_bundle", fail)
        ines.post(page_of(harbour), asked())

        states = [(bundle.state, bundle.attempts) for bundle in (make(), make(), make())]

        assert states == [("waiting", 1), ("waiting", 2), ("failed", 3)]
        assert "RuntimeError" in caplog.text
        assert words not in caplog.text

    def test_waits_until_the_newest_entries_are_published(self, harbour: Case, ines: Client) -> None:
        publish(now=NOW)
        add_note(harbour, text="Called them.", by=person("Mira Okafor"), now=NOW)
        ines.post(page_of(harbour), asked())
        EvidenceBundle.objects.update(requested_at=NOW)

        make_evidence_bundles(clock=lambda: NOW)
        assert EvidenceBundle.objects.get().state == "waiting"

        assert make().state == "made"

    def test_does_not_wait_for_ever(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        EvidenceBundle.objects.update(requested_at=NOW)

        make_evidence_bundles(clock=lambda: NOW + timedelta(minutes=10))

        bundle = EvidenceBundle.objects.get()
        assert (bundle.state, bundle.problem) == ("failed", NOT_PUBLISHED)

    def test_is_not_made_by_two_workers(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s, 0)", [Lock.EVIDENCE_BUNDLE])
            assert make().state == "waiting"
        finally:
            other.close()
