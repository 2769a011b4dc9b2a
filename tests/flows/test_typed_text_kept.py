"""Text that was typed is kept when another case is opened, in every form, and is deleted at sign-out."""

import re

import pytest
from playwright.sync_api import expect

from governance.policies.models import KillSwitch, PolicyVersion
from governance.restrictions.models import Restriction
from governance.review.models import Decision, Step
from governance.staff.roles import Role
from governance.webhooks.models import Webhook
from tests.factories import person, restriction
from tests.flows.browser import DESKTOP, Open, fill_sign_in, sign_in, two_cases
from tests.flows.typed_text import (
    DRAFTS,
    NOTE,
    choose_a_throttle,
    drafts,
    end_in_the_database,
    expect_the_throttle,
    open_case,
    sign_in_in_another_tab,
    sign_out_in_another_tab,
)
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]


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

    def test_is_no_draft_of_what_was_decided_though_the_page_was_left_before_the_answer(self, open_page: Open) -> None:
        mira, (first, second) = person(), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)
        page.evaluate("document.body.addEventListener('htmx:beforeOnLoad', (e) => e.stopImmediatePropagation(), true)")
        page.locator(".decide-send").first.click()
        wait_until(Decision.objects.exists, "it is decided")
        page.goto(page.url.replace(str(first.pk), str(second.pk)))
        page.goto(page.url.replace(str(second.pk), str(first.pk)))
        expect(page.locator("#decide")).to_contain_text("Throttled")

        page.locator("#decide summary", has_text="Undo").click()
        page.locator("#undo-note").fill("A slip.")
        page.get_by_role("button", name="Undo decision").click()

        expect(page.locator("#decide")).to_contain_text("Choose an action")
        expect(page.locator(".draft-restored")).to_have_count(0)
        assert drafts(page) == []

    def test_lets_the_clause_follow_the_reason_of_a_draft_that_was_restored(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        page.get_by_role("radio", name="Block").check(force=True)
        reasons, clause = page.locator("[name=against]"), page.get_by_label("Terms clause")
        clauses = dict.fromkeys(reasons.evaluate_all("(all) => all.map((one) => one.dataset.clause)"))
        before, after = [one for one in clauses if one][:2]
        page.locator(f"[name=against][data-clause='{before}']").first.check()
        expect(clause).to_have_value(before)

        page.reload()
        expect(page.locator(".draft-restored")).to_be_visible()
        page.locator(f"[name=against][data-clause='{after}']").first.check()

        expect(clause).to_have_value(after)

    def test_keeps_a_clause_that_was_chosen_by_hand_in_a_draft_that_was_restored(self, open_page: Open) -> None:
        mira, (first, _) = person(), two_cases()
        page = open_case(open_page, mira, first)
        choose_a_throttle(page)

        page.reload()
        page.locator("[name=against]:not(:checked)").first.check()

        expect(page.get_by_label("Terms clause")).to_have_value("2.6 Stay within the declared use")

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
        number = restriction(first.own_account, Restriction.Kind.WATCH).number
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
