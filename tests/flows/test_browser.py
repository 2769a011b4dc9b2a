"""The pages in a real browser: with the keyboard alone, on a phone in the dark, and without JavaScript."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.detection.active_calibration import activate_calibration
from governance.detection.calibration import Calibration, format_calibration
from governance.detection.drift import AssessedAccount, build_reference
from governance.restrictions.models import Restriction
from governance.review.models import Case
from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from governance.webhooks.models import Delivery, Webhook
from tests.factories import FINDING, account, assessment, person, service_key
from tests.flows.browser import Open, sign_in, two_cases
from tests.front import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def asked(name: str) -> str:
    """What the check answers about an account."""
    _, headers = service_key(ServiceKey.Scope.ACCESS_READ)
    decision = Client().get(f"/api/v1/access/check?account={name}", **headers).json()["decision"]
    return str(decision)


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


class TestAReviewerWithoutAMouse:
    def test_blocks_the_top_case_and_goes_on_to_the_next(self, open_page: Open) -> None:
        first, second = two_cases()
        page = open_page(viewport={"width": 1280, "height": 900})
        sign_in(page, person())
        page.evaluate("window.stayed = true")
        press = page.keyboard.press

        press("j")
        press("Enter")
        expect(page.get_by_role("heading", name="acct_harbour")).to_be_focused()
        press("d")
        press("8")
        press("Tab")
        press("Space")
        press("Tab")  # the clause, which follows from the reason
        press("Tab")  # against whom: this account
        press("Tab")
        page.keyboard.type("One wrapping, ever-new payloads.")
        press("Tab")
        press("Space")
        press("Enter")

        expect(page.locator("#decide")).to_contain_text("Blocked")
        expect(page.get_by_role("button", name="Next case").last).to_be_focused()
        assert asked("acct_harbour") == "deny"
        assert asked("acct_quill") == "allow"
        press("Enter")
        expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()
        assert page.url.endswith(f"/cases/{second.pk}/")
        assert page.evaluate("window.stayed"), "a page was loaded again"
        assert Case.objects.get(pk=first.pk).status == Case.Status.DECIDED

    def test_claims_notes_and_gives_back(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport={"width": 1280, "height": 900})
        sign_in(page, person())
        page.goto(f"/cases/{first.pk}/")
        expect(page.locator(".row")).to_have_count(2)

        page.keyboard.press("c")
        expect(page.locator("#claim")).to_contain_text("Claimed by you")
        expect(page.locator("#queue")).to_contain_text("You")
        page.keyboard.press("w")
        page.keyboard.type("Asked the account manager: c d 5 n.")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#history")).to_contain_text("Asked the account manager: c d 5 n.")
        page.keyboard.press("c")

        expect(page.locator("#claim")).not_to_contain_text("Claimed by you")
        assert Case.objects.get(pk=first.pk).claimed_by is None

    def test_is_led_to_the_first_mistake(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport={"width": 1280, "height": 900})
        sign_in(page, person())
        page.goto(f"/cases/{first.pk}/")

        page.keyboard.press("8")
        page.keyboard.press("Enter")

        expect(page.get_by_label("Answers harvested in bulk")).to_be_focused()
        expect(page.get_by_text("Choose a reason.")).to_be_visible()
        assert not Restriction.objects.exists()

    def test_can_switch_the_single_keys_off(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport={"width": 1280, "height": 900})
        sign_in(page, person())
        page.keyboard.press("?")
        page.get_by_label("Use single-key shortcuts").uncheck()

        page.goto(f"/cases/{first.pk}/")
        page.keyboard.press("c")
        page.keyboard.press("8")

        expect(page.locator("[name=action]:checked")).to_have_count(0)
        assert Case.objects.get(pk=first.pk).claimed_by is None


class TestWhatWasDecided:
    def test_turns_from_pending_to_in_force_at_the_gateway(self, open_page: Open, tmp_path: Path) -> None:
        first, _ = two_cases()
        with served() as front, gateway_called_litellm(front, tmp_path) as gateway:
            page = open_page(viewport={"width": 1280, "height": 900})
            sign_in(page, person())
            page.goto(f"/cases/{first.pk}/")
            gateway.send_signal(signal.SIGSTOP)
            page.get_by_role("radio", name="Block").check(force=True)
            page.get_by_role("radio", name="Answers harvested in bulk").check()
            page.get_by_label("Terms clause").select_option(index=1)
            page.get_by_label("Yes, block it").check()
            page.get_by_role("button", name="Block the account").click()

            expect(page.locator("#force")).to_contain_text("not yet in force at litellm")
            gateway.send_signal(signal.SIGCONT)
            expect(page.locator("#force")).to_contain_text(re.compile(r"in force at litellm after \d+(\.\d)? s"))

            page.goto("/enforcement/")
            expect(page.locator(".gateway")).to_contain_text("Up to date: it has reported every change.")
            expect(page.locator("#alarm")).to_be_empty()


@contextmanager
def gateway_called_litellm(front: Served, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A gateway with the client, in a process of its own; it has shown itself."""
    program = (
        "import sys, time; from stillwatch_gateway import Gateway; "
        "Gateway(*sys.argv[1:]).start(); print('up', flush=True); time.sleep(300)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, front.url, front.secret, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        front.front.telemetry.flush()
        yield process
    finally:
        process.kill()
        process.communicate()


class TestSearching:
    def test_changes_the_list_and_the_address_as_one_types(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport={"width": 1280, "height": 900})
        sign_in(page, person())

        page.keyboard.press("/")
        page.keyboard.type("quay")

        expect(page.locator(".row")).to_have_count(1)
        expect(page).to_have_url(re.compile(r"/queue/\?q=quay$"))
        page.go_back()
        expect(page.locator(".row")).to_have_count(2)


class TestOnAPhoneInTheDark:
    def test_everything_fits_and_a_case_can_be_dismissed(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True, is_mobile=True)
        sign_in(page, person())
        assert not scrolls_sideways(page)

        page.get_by_role("link", name="acct_harbour").tap()
        expect(page.locator("#queue")).to_be_hidden()
        assert not scrolls_sideways(page)
        page.get_by_label("Dismiss").check(force=True)
        assert not scrolls_sideways(page)
        page.get_by_label("An evaluation, not a harvest").check()
        page.get_by_role("button", name="Dismiss the case").tap()

        expect(page.locator("#decide")).to_contain_text("Dismissed")
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"

    def test_all_that_is_known_of_a_delivery_is_in_sight(self, open_page: Open) -> None:
        admin, now = person(role=Role.ADMIN), timezone.now()
        webhook = Webhook.objects.create(
            url="https://hooks.example.com/", secrets=b"", created_at=now, created_by=str(admin.actor), sequence=0
        )
        refused = {"state": Delivery.State.GIVEN_UP, "attempts": 20, "tried_at": now, "last_error": "no answer " * 30}
        Delivery.objects.create(webhook=webhook, created_at=now, due_at=now, **refused)
        page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
        sign_in(page, admin)

        page.goto(f"/enforcement/webhooks/{webhook.pk}/")

        for text in ("Given up", "20", "no answer", "tried just now"):
            box = page.locator(".deliveries").get_by_text(text, exact=text == "20").bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
        button = page.locator(".deliveries").get_by_role("button", name="Resend").bounding_box()
        assert button is not None
        assert button["x"] + button["width"] <= 390

    @pytest.mark.parametrize("theme", ["dark", "light"])
    def test_drift_is_in_sight(self, open_page: Open, theme: Literal["dark", "light"]) -> None:
        lead, now = person(role=Role.LEAD), timezone.now()
        then = [AssessedAccount(0, 5, 0.5, {}) for _ in range(200)]
        made = Calibration(version="2026-12", reference=build_reference(then, ["known_corpus"]))
        activate_calibration(format_calibration(made), by=lead.actor, now=now)
        for _ in range(100):
            assessment(account(), at=now, findings=[FINDING | {"detector": "known_corpus"}])
        page = open_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
        sign_in(page, lead)

        page.goto("/calibration/drift/")

        assert not scrolls_sideways(page)
        for text in ("Sends prompts from a known corpus", "0 % → 100 %", "moved", "68 to 84"):
            box = page.get_by_role("region", name="Figures compared").get_by_text(text).first.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 390

    def test_a_chosen_theme_outlives_the_page(self, open_page: Open) -> None:
        page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
        sign_in(page, person())
        page.get_by_role("button", name="theme, password, sign out").click()
        page.get_by_label("Light").check(force=True)

        page.reload()

        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


class TestWithoutJavaScript:
    def test_a_case_is_found_claimed_and_suspended(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
        sign_in(page, person())

        page.get_by_placeholder("Account or organisation").fill("harbour")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".row")).to_have_count(0)
        page.get_by_placeholder("Account or organisation").fill("acct_harbour")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="acct_harbour").click()
        page.get_by_role("button", name="Claim").click()
        page.get_by_label("Suspend").check(force=True)
        page.get_by_label("30 days").check(force=True)
        page.get_by_role("button", name="Suspend the account").click()
        expect(page.get_by_text("Choose a reason.")).to_be_visible()
        page.get_by_label("Training data generated").check()
        page.get_by_label("Terms clause").select_option(index=1)
        page.get_by_role("button", name="Suspend the account").click()

        expect(page.get_by_text("acct_harbour: suspended.", exact=True)).to_be_visible()
        assert asked("acct_harbour") == "deny"
        assert Case.objects.get(pk=first.pk).status == Case.Status.DECIDED
