"""Typed text is never lost: whatever ends the session, replaces the token or is faster, it can still be sent, once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.policies.models import KillSwitch, PolicyVersion
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.review.actions import claim, decide
from governance.review.models import Case, Decision, Step
from governance.review.verdicts import Verdict
from governance.staff.models import User
from governance.staff.roles import Role
from governance.webhooks.models import Webhook
from tests.factories import person, restriction
from tests.flows.browser import DESKTOP, Open, fill_sign_in, sign_in, two_cases
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]

NOTE = "Asked the account manager; 12 keys, one card.\nÜber „Quay“ 🙂"
POLL = """document.querySelectorAll('#cases, #alarm').forEach((place) => htmx.ajax('GET', place.getAttribute('hx-get'),
          {source: place, target: place, swap: 'outerHTML'}))"""
DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('draft:'))"

End = Callable[[Page], None]


def end_in_the_database(page: Page) -> None:
    Session.objects.all().delete()


def sign_out_in_another_tab(page: Page) -> None:
    other = page.context.new_page()
    other.goto("/queue/")
    other.get_by_role("button", name="theme, password, sign out").click()
    other.get_by_role("button", name="Sign out", exact=True).click()
    other.wait_for_url("**/sign-in/")
    other.close()


def sign_in_in_another_tab(page: Page, user: User) -> None:
    """After the session ended: the page that is still open holds a token of before."""
    end_in_the_database(page)
    other = page.context.new_page()
    sign_in(other, user)
    other.close()


def open_case(open_page: Open, user: User, opened: Case) -> Page:
    page = open_page(viewport=DESKTOP)
    sign_in(page, user)
    page.goto(f"/cases/{opened.pk}/")
    expect(page.locator(".row")).to_have_count(2)
    return page


def drafts(page: Page) -> list[str]:
    return list(page.evaluate(DRAFTS))


def choose_a_throttle(page: Page) -> None:
    page.get_by_role("radio", name="Throttle").check(force=True)
    page.get_by_role("radio", name="Access passed on or resold").check()
    page.get_by_label("Allowed requests per minute").fill("7")
    page.get_by_label("Terms clause").select_option(index=3)
    page.locator("#decide-note").fill(NOTE)


def expect_the_throttle(page: Page) -> None:
    expect(page.get_by_role("radio", name="Throttle")).to_be_checked()
    expect(page.get_by_role("radio", name="Access passed on or resold")).to_be_checked()
    expect(page.get_by_label("Allowed requests per minute")).to_have_value("7")
    expect(page.get_by_label("Terms clause")).to_have_value("2.6 Stay within the declared use")
    expect(page.locator("#decide-note")).to_have_value(NOTE)


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


class TestAnotherCase:
    def test_does_not_take_drafts_away(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)
        page.locator("#note").fill("About the first.")

        page.get_by_role("link", name="acct_quill").click()
        expect(page.get_by_role("heading", name="acct_quill")).to_be_visible()
        expect(page.locator("#note")).to_have_value("")
        expect(page.locator("[name=action]:checked")).to_have_count(0)
        page.locator("#note").fill("About the second.")
        page.get_by_role("link", name="acct_harbour").click()
        expect(page.get_by_role("heading", name="acct_harbour")).to_be_visible()

        expect_the_throttle(page)
        expect(page.locator("#note")).to_have_value("About the first.")
        page.go_back()
        expect(page.get_by_role("heading", name="acct_quill")).to_be_visible()
        expect(page.locator("#note")).to_have_value("About the second.")

    def test_confirms_nothing_by_itself(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.get_by_role("radio", name="Block").check(force=True)
        page.get_by_label("Yes, block it").check()

        page.reload()

        expect(page.get_by_role("radio", name="Block")).to_be_checked()
        expect(page.get_by_label("Yes, block it")).not_to_be_checked()

    def test_is_no_draft_where_the_note_was_stored_though_the_page_was_left_before_the_answer(
        self, open_page: Open
    ) -> None:
        mira, (first, second) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill(NOTE)
        page.evaluate("document.body.addEventListener('htmx:beforeOnLoad', (e) => e.stopImmediatePropagation(), true)")
        page.get_by_role("button", name="Add note").click()
        wait_until(Step.objects.filter(kind=Step.Kind.NOTED, text=NOTE).exists, "the note is stored")
        page.goto(page.url.replace(str(first.pk), str(second.pk)))

        page.goto(page.url.replace(str(second.pk), str(first.pk)))

        expect(page.locator("#history")).to_contain_text("12 keys, one card.")
        expect(page.locator("#note")).to_have_value("")
        assert drafts(page) == []

    def test_discards_a_draft_that_nobody_wants(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill("Never mind.")
        page.reload()

        page.get_by_role("button", name="Discard it").click()

        expect(page.locator("#note")).to_have_value("")
        assert drafts(page) == []


class TestSigningOut:
    def test_forgets_the_drafts_of_that_user_alone(self, open_page: Open) -> None:
        mira, jonas, (first, _) = person(), person("Jonas Lindqvist"), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill("Mira's, on a shared machine.")
        page.evaluate(
            f"localStorage.setItem('draft:{jonas.pk}:note:1', JSON.stringify({{at: Date.now(), values: {{}}}}))"
        )

        sign_out_in_another_tab(page)

        assert drafts(page) == [f"draft:{jonas.pk}:note:1"]

    def test_is_not_needed_for_old_drafts_to_go(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.locator("#note").fill("Eight days old.")
        page.evaluate(f"""{DRAFTS}.forEach((key) => localStorage.setItem(key, JSON.stringify(
            {{...JSON.parse(localStorage.getItem(key)), at: Date.now() - 8 * 86400000}})))""")

        page.reload()

        expect(page.locator("#note")).to_have_value("")
        assert drafts(page) == []


class TestEveryOtherForm:
    def test_keeps_the_reason_for_lifting(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        number = restriction(first.account, Restriction.Kind.WATCH).number
        page = open_case(open_page, mira, first)
        page.locator("#restrictions summary").click()
        page.locator(f"#lift-{number}").fill("They agreed to stop.")

        end_in_the_database(page)
        page.locator("#restrictions").get_by_role("button", name="Remove restriction").click()
        page.wait_for_url(re.compile("/sign-in/"))
        fill_sign_in(page, mira)
        page.wait_for_url(f"**/cases/{first.pk}/")

        expect(page.locator(f"#lift-{number}")).to_be_visible()
        expect(page.locator(f"#lift-{number}")).to_have_value("They agreed to stop.")
        page.locator("#restrictions").get_by_role("button", name="Remove restriction").click()
        expect(page.locator("#restrictions")).to_be_empty()
        assert Restriction.objects.get().ending_note == "They agreed to stop."

    def test_keeps_a_policy_and_the_reason_for_switching_off(self, open_page: Open) -> None:
        ada = person("Ada Moreau", role=Role.LEAD)
        page = open_page(viewport=DESKTOP)
        sign_in(page, ada)
        page.goto("/policy/")
        example = str(page.locator("#content").get_attribute("placeholder"))
        page.locator("#content").fill(example)
        page.locator("#switch-title ~ details summary").click()
        page.locator("#why").fill("A rule misfires.")

        end_in_the_database(page)
        page.get_by_role("button", name="Propose").click()
        page.wait_for_url(re.compile("/sign-in/"))
        fill_sign_in(page, ada)
        page.wait_for_url("**/policy/")

        expect(page.locator("#content")).to_have_value(example)
        expect(page.locator("#why")).to_have_value("A rule misfires.")
        page.get_by_role("button", name="Propose").click()
        expect(page.locator(".policy")).to_have_count(1)
        expect(page.locator("#content")).to_have_value("")
        expect(page.locator("#why")).to_have_value("A rule misfires.")
        sign_in_in_another_tab(page, ada)
        page.get_by_role("button", name="Switch off", exact=True).click()
        expect(page.get_by_role("button", name="Switch on")).to_be_visible()
        assert PolicyVersion.objects.count() == 1
        assert KillSwitch.objects.get().why == "A rule misfires."
        assert drafts(page) == []

    def test_keeps_the_address_of_a_webhook(self, open_page: Open) -> None:
        ada = person("Ada Moreau", role=Role.ADMIN)
        page = open_page(viewport=DESKTOP)
        sign_in(page, ada)
        page.goto("/enforcement/webhooks/")
        page.locator("#url").fill("https://192.0.2.1/hooks?" + "x" * 500)
        page.get_by_role("button", name="Add webhook").click()
        expect(page.locator("#url-error")).to_contain_text("at most 500 characters")
        expect(page.locator("#url")).to_have_value("https://192.0.2.1/hooks?" + "x" * 500)
        page.locator("#url").fill("https://8.8.8.8/hooks")

        end_in_the_database(page)
        page.get_by_role("button", name="Add webhook").click()
        page.wait_for_url(re.compile("/sign-in/"))
        fill_sign_in(page, ada)
        page.wait_for_url("**/enforcement/webhooks/")

        expect(page.locator("#url")).to_have_value("https://8.8.8.8/hooks")
        page.get_by_role("button", name="Add webhook").click()
        expect(page.locator(".secret")).to_be_visible()
        assert Webhook.objects.get().url == "https://8.8.8.8/hooks"


class TestAText:
    LONGEST = ("🙂" * 49 + "\n") * 79 + "🙂" * 50  # 4,000 code points, nearly 8,000 units of UTF-16

    def test_of_just_the_limit_is_taken(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)

        page.locator("#note").fill(f"  {self.LONGEST}\n\n")
        expect(page.locator("#note + .count")).to_have_text("4,000 of 4,000 characters")
        page.get_by_role("button", name="Add note").click()

        expect(page.locator("#history .step-noted")).to_have_count(1)
        assert Step.objects.get(kind=Step.Kind.NOTED).text == self.LONGEST

    def test_of_just_the_limit_is_taken_without_javascript(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_page(viewport=DESKTOP, java_script_enabled=False)
        sign_in(page, mira)
        page.goto(f"/cases/{first.pk}/")

        page.locator("#note").fill(self.LONGEST)
        page.get_by_role("button", name="Add note").click()

        expect(page.locator("#history .step-noted")).to_have_count(1)
        assert Step.objects.get(kind=Step.Kind.NOTED).text == self.LONGEST

    def test_that_is_too_long_is_refused_whole(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)

        page.locator("#note").fill(f"{self.LONGEST}?")
        expect(page.locator("#note + .count")).to_have_text("4,001 of 4,000 characters: 1 too many")
        page.get_by_role("button", name="Add note").click()

        expect(page.locator("#note-error")).to_contain_text("4001")
        expect(page.locator("#note")).to_have_value(f"{self.LONGEST}?")
        assert not Step.objects.filter(kind=Step.Kind.NOTED).exists()
