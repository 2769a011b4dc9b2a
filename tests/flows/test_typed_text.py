"""Typed text is never lost: whatever ends the session, replaces the token or is faster, it can still be sent, once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import claim, decide
from governance.review.models import Case, Decision, Step
from governance.review.verdicts import Verdict
from tests.factories import person
from tests.flows.browser import DESKTOP, Open, fill_sign_in, sign_in, two_cases
from tests.flows.typed_text import (
    NOTE,
    choose_a_throttle,
    drafts,
    end_in_the_database,
    expect_the_throttle,
    open_case,
    sign_in_in_another_tab,
    sign_out_in_another_tab,
)

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]

POLL = """document.querySelectorAll('#cases, #alarm').forEach((place) => htmx.ajax('GET', place.getAttribute('hx-get'),
          {source: place, target: place, swap: 'outerHTML'}))"""


End = Callable[[Page], None]


class TestASessionThatEnded:
    @pytest.mark.parametrize("end", [end_in_the_database, sign_out_in_another_tab])
    def test_loses_no_note(self, open_page: Open, end: End) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)

        end(page)
        page.locator("#note").fill(NOTE)
        page.get_by_role("button", name="Add note").click()
        page.wait_for_url(re.compile("/sign-in/"))
        expect(page.get_by_text("Your session ended.")).to_be_visible()
        assert not Step.objects.filter(kind=Step.Kind.NOTED).exists()
        fill_sign_in(page, mira)

        page.wait_for_url(f"**/cases/{first.pk}/")
        expect(page.locator("#note")).to_have_value(NOTE)
        expect(page.get_by_text("Unsent text restored.")).to_be_visible()
        page.get_by_role("button", name="Add note").click()
        expect(page.locator("#history")).to_contain_text("12 keys, one card.")
        expect(page.locator("#note")).to_have_value("")
        assert [step.text for step in Step.objects.filter(kind=Step.Kind.NOTED)] == [NOTE]
        assert drafts(page) == []

    def test_loses_no_decision(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)
        page.locator("#note").fill("Not sent with the decision.")

        end_in_the_database(page)
        page.get_by_role("button", name="Throttle the account").click()
        page.wait_for_url(re.compile("/sign-in/"))
        fill_sign_in(page, mira)
        page.wait_for_url(f"**/cases/{first.pk}/")

        expect_the_throttle(page)
        page.get_by_role("button", name="Throttle the account").click()
        expect(page.locator("#decide")).to_contain_text("Throttled")
        expect(page.locator("#note")).to_have_value("Not sent with the decision.")
        decision = Decision.objects.get()
        assert (decision.note, decision.restriction and decision.restriction.requests_per_minute) == (NOTE, 7)

    def test_leaves_the_page_to_whoever_reads_or_types(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.evaluate("window.stayed = true")
        page.locator("#note").fill("Half a sentence")

        end_in_the_database(page)
        page.evaluate(POLL)
        banner = page.locator("#session")
        expect(banner).to_contain_text("You have been signed out.")
        expect(page.locator("#note")).to_have_value("Half a sentence")
        assert page.evaluate("window.stayed")
        assert page.url.endswith(f"/cases/{first.pk}/")

        banner.get_by_role("link", name="Sign in").click()
        expect(page.get_by_text("Your session ended.")).to_be_visible()
        fill_sign_in(page, mira)
        page.wait_for_url(f"**/cases/{first.pk}/")
        expect(page.locator("#note")).to_have_value("Half a sentence")

    def test_is_asked_for_on_the_way_to_another_case(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill("Half a sentence")

        end_in_the_database(page)
        page.get_by_role("link", name="acct_quill").click()
        page.wait_for_url(re.compile("/sign-in/"))
        fill_sign_in(page, mira)

        page.wait_for_url(f"**/cases/{first.pk}/")
        expect(page.locator("#note")).to_have_value("Half a sentence")

    def test_shows_no_draft_to_the_next_person(self, open_page: Open) -> None:
        mira, jonas, (first, _) = person(), person("Jonas Lindqvist"), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill("Only Mira knows.")
        end_in_the_database(page)
        page.get_by_role("button", name="Add note").click()
        page.wait_for_url(re.compile("/sign-in/"))

        fill_sign_in(page, jonas)

        page.wait_for_url(f"**/cases/{first.pk}/")
        expect(page.locator(".row")).to_have_count(2)
        expect(page.locator("#note")).to_have_value("")

    def test_keeps_the_page_where_the_browser_keeps_nothing(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_page(viewport=DESKTOP)
        page.add_init_script("Storage.prototype.setItem = () => { throw new Error('forbidden') }")
        sign_in(page, mira)
        page.goto(f"/cases/{first.pk}/")
        page.locator("#note").fill(NOTE)

        end_in_the_database(page)
        page.get_by_role("button", name="Add note").click()
        expect(page.locator("#session")).to_contain_text("You have been signed out.")
        sign_in_in_another_tab(page, mira)
        page.get_by_role("button", name="Add note").click()

        expect(page.locator("#history")).to_contain_text("12 keys, one card.")
        expect(page.locator("#session")).to_be_empty()
        assert Step.objects.filter(kind=Step.Kind.NOTED).count() == 1


class TestATokenOfBefore:
    def test_is_replaced_and_the_note_sent_again(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.evaluate("window.stayed = true")
        page.locator("#note").fill(NOTE)

        sign_in_in_another_tab(page, mira)
        page.get_by_role("button", name="Add note").click()

        expect(page.locator("#history")).to_contain_text("12 keys, one card.")
        assert page.evaluate("window.stayed")
        assert Step.objects.filter(kind=Step.Kind.NOTED).count() == 1

    def test_is_replaced_for_every_form_of_the_page(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)

        sign_in_in_another_tab(page, mira)
        page.get_by_role("button", name="Claim").click()
        expect(page.locator("#claim")).to_contain_text("Claimed by you")
        page.get_by_role("button", name="Throttle the account").click()

        expect(page.locator("#decide")).to_contain_text("Throttled")

    def test_sends_nothing_under_the_name_of_somebody_else(self, open_page: Open) -> None:
        mira, jonas, (first, _) = person(), person("Jonas Lindqvist"), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill("Written by Mira.")

        sign_in_in_another_tab(page, jonas)
        page.evaluate(POLL)
        expect(page.locator("#session")).to_contain_text("Someone else signed in")
        page.get_by_role("button", name="Add note").click()

        expect(page.locator(".toast-trouble")).to_be_visible()
        expect(page.locator("#note")).to_have_value("Written by Mira.")
        assert not Step.objects.filter(kind=Step.Kind.NOTED).exists()

    def test_leads_back_without_javascript(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_page(viewport=DESKTOP, java_script_enabled=False)
        sign_in(page, mira)
        page.goto(f"/cases/{first.pk}/")
        sign_in_in_another_tab(page, mira)
        page.locator("#note").fill(NOTE)

        page.get_by_role("button", name="Add note").click()
        page.get_by_role("link", name="Go back").click()
        page.locator("#note").fill(NOTE)
        page.get_by_role("button", name="Add note").click()

        expect(page.locator("#history")).to_contain_text("12 keys, one card.")


class TestALostRace:
    def test_shows_what_was_not_decided_beside_who_decided(self, open_page: Open) -> None:
        mira, jonas, (first, _) = person(), person("Jonas Lindqvist"), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)
        verdict = Verdict(RestrictionKind.WATCH, Reason.OTHER, note="Wait.")
        decide(first, verdict, decision_id=first.pk, by=jonas, now=timezone.now())

        page.get_by_role("button", name="Throttle the account").click()

        decided = page.locator("#decide")
        expect(decided).to_contain_text("Jonas Lindqvist")
        expect(decided).to_contain_text("Throttle, Access passed on or resold, 2.6 Stay within the declared use")
        expect(decided).to_contain_text("7 requests per minute")
        expect(decided.get_by_label("Your note")).to_have_value(NOTE)
        decided.get_by_role("button", name="Add to history").click()
        expect(page.locator("#history")).to_contain_text("12 keys, one card.")

    def test_gives_the_choices_back_when_the_case_is_free_again(self, open_page: Open) -> None:
        mira, jonas, (first, _) = person(), person("Jonas Lindqvist"), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)
        claim(first, by=jonas, now=timezone.now())
        page.get_by_role("button", name="Throttle the account").click()
        expect(page.locator("#decide")).to_contain_text("Jonas Lindqvist is working on this")

        Case.objects.update(claimed_until=timezone.now() - timedelta(minutes=1))
        page.reload()

        expect_the_throttle(page)
