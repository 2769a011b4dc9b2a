"""An erasure takes what is held of a person, and leaves what others rely on."""

from typing import Any

import pytest

from accounts.actions import register_accounts
from accounts.models import Account, Organisation
from accounts.pseudonyms import card_pseudonym
from accounts.register import AccountLine
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.audit.verbs import Verb
from governance.campaigns.models import CampaignMember
from governance.detection.models import Assessment
from governance.investigation.actions import watch
from governance.investigation.models import WatchedAccount
from governance.privacy.erasure import continue_erasures, start_erasure
from governance.privacy.holds import find_target
from governance.privacy.models import Erasure
from governance.privacy.queries import Counted, preview_erasure
from governance.privacy.rule import ERASED_TEXT
from governance.restrictions.models import CoveredName, Restriction
from governance.review.actions import add_note
from governance.review.models import Case, Step
from governance.usage.actions import record_lines
from governance.usage.models import DataKey, Excerpt, UsageEvent
from governance.usage.queries import get_excerpts
from tests.factories import MACHINE, NOW, account, api_key, assessment, campaign_case, case, line, person, restriction

pytestmark = pytest.mark.django_db

REGISTERED: dict[str, Any] = {
    "email_domain": "anna-smit.nl",
    "payment_fingerprint": "card_1",
    "signup_ip": "198.51.100.7",
    "declared_use": "poems of Anna Smit",
}
PERSONAL = {
    "ip": "203.0.113.9",
    "user_agent": "anna/1.0",
    "end_user": "anna",
    "conversation": "c1",
}
# In the wire format.
SENT: dict[str, Any] = {
    "client": {"ip": "203.0.113.9", "user_agent": "anna/1.0"},
    "end_user": "anna",
    "conversation": "c1",
}


@pytest.fixture
def anna() -> Account:
    owner = account("acct_anna", organisation="org_anna", **REGISTERED)
    Organisation.objects.update(name="Anna Smit Poems")
    asked = [{"role": "user", "content": "Write as Anna Smit."}]
    record_lines(
        [line(account="acct_anna", id=f"req_{place}", messages=asked, **SENT) for place in range(3)],
        source="native",
        now=NOW,
    )
    return owner


def erase_anna(kind: str = "account", name: str = "acct_anna") -> Erasure:
    erasure = start_erasure(find_target(kind, name), reason="Request 2026-118.", by=MACHINE, now=NOW)
    continue_erasures(now=NOW)
    erasure.refresh_from_db()
    return erasure


class TestTheRegister:
    def test_keeps_pseudonyms_of_what_accounts_share(self, anna: Account) -> None:
        other = account("acct_other", **REGISTERED)

        erase_anna()
        erase_anna(name="acct_other")

        anna.refresh_from_db()
        other.refresh_from_db()
        assert anna.email_domain == other.email_domain
        assert anna.payment_fingerprint == other.payment_fingerprint == card_pseudonym("card_1")
        assert (anna.signup_ip, anna.declared_use) == (None, "")
        assert "anna" not in anna.email_domain

    def test_is_not_filled_again_by_a_later_import(self, anna: Account) -> None:
        erase_anna("organisation", "org_anna")
        again = AccountLine(
            account="acct_anna", organisation="org_anna", organisation_name="Anna Smit", plan="team", **REGISTERED
        )

        result = register_accounts([again], by=MACHINE, now=NOW)

        anna.refresh_from_db()
        assert (anna.plan, anna.signup_ip, anna.declared_use) == ("team", None, "")
        assert anna.email_domain.startswith("erased-")
        assert Organisation.objects.get().name.startswith("erased-")
        assert list(result.notes) == [
            "Organisation org_anna was erased: what the register says of a person was left out.",
            "Account acct_anna was erased: what the register says of a person was left out.",
        ]
        assert Entry.objects.filter(verb=Verb.ACCOUNTS_REGISTERED).latest("number").details["kept_out"] == 2

    def test_is_not_filled_again_when_the_account_opens_again(self, anna: Account) -> None:
        erase_anna()
        register_accounts([AccountLine(account="acct_anna", status="closed")], by=MACHINE, now=NOW)
        register_accounts([AccountLine(account="acct_anna", status="open", **REGISTERED)], by=MACHINE, now=NOW)

        anna.refresh_from_db()
        assert (anna.status, anna.signup_ip, anna.closed_at) == ("open", None, None)

    def test_says_nothing_of_lines_that_bring_nothing_back(self, anna: Account) -> None:
        erase_anna()

        result = register_accounts([AccountLine(account="acct_anna", plan="team")], by=MACHINE, now=NOW)

        assert (result.updated, list(result.notes)) == (1, [])
        assert "kept_out" not in Entry.objects.latest("number").details


class TestExcerpts:
    def test_go_with_their_key_and_none_is_made_again(self, anna: Account) -> None:
        assert get_excerpts(anna, at=NOW)

        erase_anna()
        asked = [{"role": "user", "content": "Another one."}]
        record_lines([line(account="acct_anna", messages=asked)], source="native", now=NOW)

        assert not DataKey.objects.exists()
        assert not Excerpt.objects.exists()
        assert UsageEvent.objects.filter(account=anna).count() == 4

    def test_that_were_copied_before_are_unreadable(self, anna: Account) -> None:
        copies = list(Excerpt.objects.all())

        erase_anna()
        Excerpt.objects.bulk_create(copies)

        assert get_excerpts(anna, at=NOW) == []


class TestUsage:
    def test_loses_addresses_and_ids_of_users_in_portions(self, anna: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.privacy.erasure.EVENTS_AT_ONCE", 2)
        record_lines([line(account="acct_other", **SENT)], source="native", now=NOW)

        erasure = erase_anna()

        kept = UsageEvent.objects.filter(account=anna).values_list(*PERSONAL)
        assert set(kept) == {(None,) * 4}
        assert UsageEvent.objects.filter(**PERSONAL).count() == 1
        assert erasure.finished_at == NOW
        assert Entry.objects.latest("number").verb == Verb.PERSON_ERASURE_FINISHED


class TestTexts:
    def test_about_the_account_are_replaced(self, anna: Account) -> None:
        mira = person()
        opened = case(anna)
        add_note(opened, text="Called Anna.", by=mira, now=NOW)
        watch(anna, reason="Anna asked twice.", by=mira, now=NOW)
        elsewhere = case()
        add_note(elsewhere, text="Called Ben.", by=mira, now=NOW)

        erase_anna()

        assert Step.objects.get(case=opened, kind=Step.Kind.NOTED).text == ERASED_TEXT
        assert Step.objects.get(case=elsewhere, kind=Step.Kind.NOTED).text == "Called Ben."
        assert WatchedAccount.objects.get().reason == ERASED_TEXT

    def test_about_several_accounts_lose_what_they_quote(self, anna: Account) -> None:
        opened = campaign_case(anna, account("acct_other"))
        add_note(opened, text="Anna-Smit.NL paid with card_1; the other pays too.", by=person(), now=NOW)

        erase_anna()

        said = Step.objects.get(case=opened, kind=Step.Kind.NOTED).text
        assert said == f"{ERASED_TEXT} paid with {ERASED_TEXT}; the other pays too."

    def test_of_assessments_lose_what_they_quote(self, anna: Account) -> None:
        declared = {"sentence": "Declared as “poems of Anna Smit”.", "evidence": {"declared_use": "poems of Anna Smit"}}
        assessment(anna, findings=[declared], harmless=declared)

        erase_anna()

        seen = Assessment.objects.get()
        assert "Anna" not in str(seen.findings) + str(seen.harmless)
        assert seen.findings[0]["sentence"] == f"Declared as “{ERASED_TEXT}”."


class TestWhatOthersRelyOn:
    def test_stays(self, anna: Account) -> None:
        api_key(anna, "key_anna")
        blocked = restriction(anna)
        campaign_case(anna, account("acct_other"))
        names = set(CoveredName.objects.values_list("kind", "name"))

        erase_anna()

        blocked.refresh_from_db()
        assert Restriction.objects.in_force(at=NOW).get() == blocked
        assert set(CoveredName.objects.values_list("kind", "name")) == names
        assert CampaignMember.objects.current().filter(account=anna).exists()
        assert Case.objects.count() == 1

    def test_the_log_verifies_and_holds_ids_alone_of_the_erasure(self, anna: Account) -> None:
        erasure = erase_anna()

        assert not any(iter_chain_checks())
        entry = Entry.objects.get(verb=Verb.PERSON_ERASED)
        assert (entry.subject_kind, entry.subject_id) == ("account", "acct_anna")
        assert entry.details == {
            "because": "request",
            "accounts": 1,
            "erasure": str(erasure.pk),
            "reason": "Request 2026-118.",
        }


class TestAnOrganisation:
    def test_is_erased_with_all_its_accounts_in_portions(self, anna: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.privacy.erasure.ACCOUNTS_AT_ONCE", 2)
        for place in range(5):
            account(f"acct_{place}", organisation="org_anna", **REGISTERED)
        stranger = account("acct_stranger", **REGISTERED)

        erasure = erase_anna("organisation", "org_anna")

        assert Account.objects.filter(email_domain="anna-smit.nl").get() == stranger
        assert not Organisation.objects.get().name.startswith("Anna")
        assert erasure.finished_at is not None

    def test_closes_the_register_for_all_at_once(self, anna: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.privacy.erasure.ACCOUNTS_AT_ONCE", 1)
        account("acct_late", organisation="org_anna", **REGISTERED)

        start_erasure(find_target("organisation", "org_anna"), reason="Request 2026-118.", by=MACHINE, now=NOW)

        assert Account.objects.filter(erased_at=None).count() == 0
        assert Account.objects.filter(email_domain="anna-smit.nl").count() == 1  # the worker has yet to come there
        assert not DataKey.objects.exists()

    def test_is_erased_with_accounts_that_leave_while_it_is_at_work(
        self, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.privacy.erasure.ACCOUNTS_AT_ONCE", 1)
        leaver = account("acct_leaver", organisation="org_anna", **REGISTERED)
        start_erasure(find_target("organisation", "org_anna"), reason="Request 2026-118.", by=MACHINE, now=NOW)
        register_accounts([AccountLine(account="acct_leaver", organisation="org_b")], by=MACHINE, now=NOW)

        assert continue_erasures(now=NOW) == 1

        leaver.refresh_from_db()
        assert (leaver.declared_use, leaver.signup_ip) == ("", None)
        assert leaver.email_domain.startswith("erased-")

    def test_is_erased_without_accounts_that_join_while_it_is_at_work(self, anna: Account) -> None:
        start_erasure(find_target("organisation", "org_anna"), reason="Request 2026-118.", by=MACHINE, now=NOW)
        joiner = account("acct_joiner", organisation="org_anna", erased_at=NOW, **REGISTERED)

        continue_erasures(now=NOW)

        joiner.refresh_from_db()
        assert joiner.email_domain == "anna-smit.nl"


class TestThePreview:
    def test_says_what_goes_and_what_stays(self, anna: Account) -> None:
        add_note(case(anna), text="Called Anna.", by=person(), now=NOW)
        restriction(anna)

        preview = preview_erasure(find_target("account", "acct_anna"))

        assert Counted("e-mail domain", 1) in preview.goes
        assert Counted("excerpts of prompts, and their key", 3) in preview.goes
        assert Counted("usage events with addresses or ids of users", 3) in preview.goes
        assert Counted("texts: case history", 1) in preview.goes
        assert Counted("restrictions in force", 1) in preview.stays
        assert not preview.is_named

    def test_has_nothing_left_after_it_and_says_that_it_was_before(self, anna: Account) -> None:
        erase_anna()

        preview = preview_erasure(find_target("account", "acct_anna"))

        assert preview.erased_before
        assert preview.goes == []

    def test_warns_of_an_id_that_is_an_address(self) -> None:
        account("anna@smit.nl")

        assert preview_erasure(find_target("account", "anna@smit.nl")).is_named
