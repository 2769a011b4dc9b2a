"""From the page of an erasure to its ends: excerpts that nobody can read, a log that verifies, a block that stays."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AccountLine, ApiKeyValue
from governance import tasks
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.review.models import Case, Step
from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from governance.usage.models import Excerpt, UsageEvent
from tests.factories import MACHINE, case, line, person, service_key
from tests.review.pages import address, block_form, signed_in, text

pytestmark = pytest.mark.django_db

WORDS = "Write as Anna Smit, 4 Quay Street."
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ANNA = AccountLine(
    account="acct_anna",
    email_domain="anna-smit.nl",
    payment_fingerprint="card_1",
    signup_ip="198.51.100.7",
    declared_use="poems",
    keys=[ApiKeyValue(id="key_anna", digest=DIGEST)],
)
WHOM = "/settings/privacy/erase/?kind=account&name=acct_anna"


@pytest.fixture
def opened() -> Case:
    now = timezone.now()
    register_accounts([ANNA], by=MACHINE, now=now)
    asked = [{"role": "user", "content": WORDS}]
    at = now.isoformat()
    event = line(account="acct_anna", occurred_at=at, messages=asked, client={"ip": "203.0.113.9"}, end_user="anna")
    record_lines([event], source="native", now=now)
    return case(Account.objects.get())


def asked_by_gateways(**name: str) -> str:
    _, known = service_key(ServiceKey.Scope.ACCESS_READ)
    answer = Client().get("/api/v1/access/check", name, **known)
    decision: str = answer.json()["decision"]
    return decision


def test_a_blocked_person_is_erased_and_stays_blocked(opened: Case) -> None:
    mira, jonas = signed_in(person("Mira Okafor")), signed_in(person("Jonas Lindqvist", role=Role.LEAD))
    mira.post(address(opened, "claim/"))
    mira.post(address(opened, "note/"), {"text": "Called Anna Smit."})
    mira.post(address(opened, "decide/"), block_form(note="Anna Smit did it."))
    assert WORDS in text(mira.post(address(opened, "excerpts/"), {"reason": "To see."}))
    copies = list(Excerpt.objects.all())

    assert jonas.post(WHOM, {"reason": "Request 2026-118.", "confirmed": "on"}).status_code == 302
    tasks.continue_erasures()

    # Excerpts cannot be read any more, not even out of a backup.
    Excerpt.objects.bulk_create(copies)
    assert "Quay Street" not in text(mira.post(address(opened, "excerpts/"), {"reason": "To see again."}))
    # Nothing is left of her in the tables that pages show.
    assert set(UsageEvent.objects.values_list("ip", "end_user")) == {(None, None)}
    assert not Step.objects.filter(text__icontains="anna").exists()
    for page in ("/accounts/acct_anna/", address(opened)):
        shown = text(jonas.get(page))
        assert not [one for one in ("Anna Smit", "anna-smit.nl", "card_1", "198.51.100.7") if one in shown]
    # She is refused by her account and by her key, as before, also after the next import of the register.
    register_accounts([ANNA], by=MACHINE, now=timezone.now())
    assert asked_by_gateways(account="acct_anna") == "deny"
    assert asked_by_gateways(api_key="key_anna") == "deny"
    assert Account.objects.get().signup_ip is None
    # The log verifies, and says who erased whom and why.
    assert not [fault for fault in iter_chain_checks() if fault is not None and fault.breaks_chain]
    erased = Entry.objects.get(verb="person.erased")
    assert (erased.actor_name, erased.subject_id, erased.details["reason"]) == (
        "Jonas Lindqvist",
        "acct_anna",
        "Request 2026-118.",
    )


def test_a_hold_keeps_everything_until_it_is_lifted(opened: Case) -> None:
    mira, jonas = signed_in(person("Mira Okafor")), signed_in(person("Jonas Lindqvist", role=Role.LEAD))
    hold = {"kind": "account", "name": "acct_anna", "reason": "Case 12/26."}
    jonas.post("/settings/privacy/hold/", hold)

    assert jonas.post(WHOM, {"reason": "Request 2026-118.", "confirmed": "on"}).status_code == 409
    Excerpt.objects.update(expires_at=timezone.now())
    tasks.delete_expired_excerpts()

    assert WORDS in text(mira.post(address(opened, "excerpts/"), {"reason": "To see."}))
    held = Entry.objects.get(verb="legal_hold.set").details["hold"]
    jonas.post(f"/settings/privacy/hold/{held}/lift/", {"reason": "It is over."})
    tasks.delete_expired_excerpts()
    assert not Excerpt.objects.exists()
