"""Plain functions that make what a test needs, with a default for everything that the test does not speak of."""

import itertools
import json
import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max

from accounts.models import Account, ApiKey, Licence, Organisation
from governance.audit.actor import Actor
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.models import Assessment
from governance.detection.thresholds import Response
from governance.restrictions.actions import restrict
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.review.models import Case
from governance.review.verdicts import Ticks
from governance.staff.actions import add_user
from governance.staff.models import ServiceKey, User
from governance.staff.roles import Role
from governance.staff.secret_format import secret_digest
from governance.staff.service_keys import issue_service_key

NOW = datetime(2026, 11, 2, 9, 14, tzinfo=UTC)
MACHINE = Actor.system("test")
PASSWORD = "a long enough passphrase"

_numbers = itertools.count(1)


def person(name: str = "Mira Okafor", *, role: Role = Role.REVIEWER) -> User:
    return add_user(
        email=f"{name.partition(' ')[0].lower()}{next(_numbers)}@example.com",
        name=name,
        role=role,
        password=PASSWORD,
        by=MACHINE,
        now=NOW,
    )


def service_key(*scopes: str, name: str = "gateway-eu") -> tuple[Any, dict[str, Any]]:
    """A service key, and the headers with which a test client shows it."""
    key, secret = issue_service_key(name=name, scopes=scopes, by=MACHINE, now=NOW)
    return key, {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def known_service_key(secret: str, scope: str, *, name: str, at: datetime = NOW) -> ServiceKey:
    """One whose secret was chosen before there was a database."""
    return ServiceKey.objects.create(
        name=name,
        shown_prefix=secret[:10],
        digest=secret_digest(secret),
        scopes=[scope],
        created_at=at,
        created_by=str(MACHINE),
    )


def account(name: str | None = None, *, organisation: str | None = None, **fields: Any) -> Account:
    company = Organisation.objects.get_or_create(external_id=organisation)[0] if organisation else None
    return Account.objects.create(
        external_id=name or f"acct_{next(_numbers)}", organisation=company, first_seen_at=NOW, **fields
    )


def api_key(owner: Account, name: str | None = None) -> ApiKey:
    return ApiKey.objects.create(external_id=name or f"key_{next(_numbers)}", account=owner, first_seen_at=NOW)


def training_licence(owner: Account, *, ends_at: datetime | None = None) -> Licence:
    starts_at = NOW - timedelta(days=100)
    return Licence.objects.create(account=owner, training_permitted=True, starts_at=starts_at, ends_at=ends_at)


FINDING = {
    "detector": "fixed_wrapper",
    "title": "Fixed wrapper around ever-new payload",
    "family": "content",
    "version": 1,
    "strength": 0.9,
    "points": 34,
    "sentence": "94 % of 2,310 prompts wrap a new payload in the same words.",
    "evidence": {"share": 0.94, "prompts": 2310},
    "harmless": "An evaluation harness puts fixed instructions around public questions.",
}


def findings(*families: str) -> list[dict[str, Any]]:
    """One that speaks against the account for each family: without any, of as many as may refuse access by policy."""
    families = families or ("content", "shape", "rhythm")
    return [FINDING | {"detector": f"of_{family}", "family": family, "points": 20} for family in families]


def assessment(
    of: Account, *, score: int = 82, band: str = "critical", at: datetime = NOW, **fields: Any
) -> Assessment:
    defaults: dict[str, Any] = {
        "assessed_at": at,
        "confirmed_at": at,
        "window_start": at - timedelta(days=28),
        "window_end": at,
        "events": 2310,
        "findings": [FINDING],
        "model_version": "1",
        "licensed": False,
        "response": Response.CASE,
        "policy_version": "1",
    }
    return Assessment.objects.create(account=of, score=score, band=band, **defaults | fields)


def campaign_of(*accounts: Account) -> Campaign:
    campaign = Campaign.objects.create(state="open", first_seen_at=NOW, opened_at=NOW, size=len(accounts))
    for member in accounts:
        campaign.members.create(account=member, joined_at=NOW, tied_to=len(accounts) - 1, strength=1.0, ties={})
    return campaign


def case(
    about: Account | None = None, *, score: int = 82, band: str = "critical", due_in: int = 4, **fields: Any
) -> Case:
    seen = assessment(about or account(), score=score, band=band)
    return Case.objects.create(
        account=seen.account,
        assessment=seen,
        score=score,
        band=band,
        families=seen.families_against,
        opened_at=NOW,
        due_at=NOW + timedelta(hours=due_in),
        **fields,
    )


def campaign_case(*accounts: Account, score: int = 91, **fields: Any) -> Case:
    """The open case of a campaign of these accounts, each of which is assessed."""
    seen = [assessment(one, score=score) for one in accounts]
    return Case.objects.create(
        campaign=campaign_of(*accounts),
        assessment=seen[0],
        score=score,
        band="critical",
        opened_at=NOW,
        due_at=NOW + timedelta(hours=4),
        **fields,
    )


def own_campaign(opened: Case) -> Campaign:
    """The campaign of its case."""
    assert opened.campaign is not None
    return opened.campaign


def ticks(opened: Case, *, without: Collection[Account] = (), because: str = "A school.") -> Ticks:
    """All members of the campaign of a case but for these, who are left out."""
    members = CampaignMember.objects.current().filter(campaign=opened.campaign_id)
    accounts = set(members.values_list("account", flat=True)) - {one.pk for one in without}
    seen = members.aggregate(newest=Max("pk"))["newest"]
    return Ticks(frozenset(accounts), seen=seen, left_out_because=because)


def restriction(
    target: Account | ApiKey | Organisation,
    kind: Restriction.Kind = Restriction.Kind.BLOCK,
    *,
    at: datetime = NOW,
    unique_key: str | None = None,
    reason: Reason = Reason.BULK_HARVEST,
    **terms: Any,
) -> Restriction:
    if kind == Restriction.Kind.WITHHOLD:
        terms.setdefault("withheld", ["logprobs"])
    return restrict(
        target,
        Terms(kind, reason, **terms),
        unique_key=unique_key or str(uuid.uuid4()),
        by=MACHINE,
        now=at,
    )


def usage_event(**members: Any) -> dict[str, Any]:
    """An event in the wire format."""
    required = {
        "id": f"req_{next(_numbers)}",
        "occurred_at": "2026-11-02T09:10:00Z",
        "account": "acct_harbour",
        "model": "flagship-2",
        "input_tokens": 812,
        "output_tokens": 1403,
    }
    return required | members


def line(**members: Any) -> bytes:
    """An event as a line of JSON."""
    return json.dumps(usage_event(**members)).encode()
