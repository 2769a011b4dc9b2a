"""Cases in every state that their page shows, of an account of which there is something to say in each of its parts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from accounts.models import Account, Organisation
from governance.campaigns.models import Campaign
from governance.restrictions.models import Restriction
from governance.review.actions import reopen
from governance.review.bulk.actions import start_undoing_all
from governance.review.holding import escalate, hold
from governance.review.models import BulkDecision, Case, Decision
from governance.review.undo import undo_decision
from governance.usage.actions import record_lines
from tests.factories import (
    NOW,
    account,
    api_key,
    campaign_of,
    case,
    line,
    person,
    restriction,
    training_licence,
)
from tests.review.bulk import carry_on, started
from tests.review.campaign_pages import case_with_findings, five_accounts
from tests.review.deciding import BLOCK, DISMISS, decide_all, decided


def rich(name: str = "acct_harbour") -> Case:
    """The open case of an account with usage, a campaign, a licence, and restrictions by the API, a policy and on a
    key; one of them waits to be restored.
    """
    at = (NOW - timedelta(days=1)).isoformat()
    record_lines([line(account=name, occurred_at=at)], source="native", now=NOW)
    about = Account.objects.get(external_id=name)
    about.organisation, about.payment_fingerprint = (
        Organisation.objects.get_or_create(external_id="org_quay")[0],
        "card",
    )
    about.save()
    campaign_of(about, case(account(organisation="org_quay", payment_fingerprint="card")).own_account)
    training_licence(about)
    restriction(api_key(about), Restriction.Kind.THROTTLE, requests_per_minute=5)
    restriction(about, Restriction.Kind.WATCH, unique_key=f"policy:{name}")
    restriction(about, Restriction.Kind.WATCH, unique_key=f"policy:{name}:2", until=NOW + timedelta(days=1))
    restriction(about)
    return case(about)


def other_case() -> Case:
    """The case of the other account of the campaign, which is of the same organisation."""
    return Case.objects.exclude(account__external_id="acct_harbour").get()


def linked() -> Case:
    """Of an account in no campaign."""
    opened = rich()
    Campaign.objects.update(state=Campaign.State.CLOSED)
    return opened


def held() -> Case:
    opened = rich()
    hold(opened, until=NOW + timedelta(hours=2), because="A reply.", by=person(), now=NOW)
    return opened


def escalated() -> Case:
    opened = rich()
    escalate(opened, because="A large customer.", by=person(), now=NOW)
    return opened


def restricted() -> Case:
    decided(opened := rich())
    return opened


def dismissed() -> Case:
    decided(opened := rich(), DISMISS)
    return opened


def reopened() -> Case:
    return reopen(restricted(), by=person(), now=NOW)


def decided_again() -> Case:
    again = reopened()
    decided(again, by=again.claimed_by)
    return again


def undone() -> Case:
    closed = restricted()
    undo_decision(closed, note="A course.", by=person(), now=NOW, is_claimed=False)
    return closed


def _in_bulk() -> BulkDecision:
    made = started([rich().own_account, rich("acct_cove").own_account])
    carry_on()
    return made


def decided_in_bulk() -> Case:
    made = _in_bulk()
    return Case.objects.get(decisions__bulk_target__bulk=made, account__external_id="acct_harbour")


def undone_in_bulk() -> Case:
    start_undoing_all(made := _in_bulk(), note="A course.", by=person(), now=NOW)
    carry_on()
    return Case.objects.get(decisions__bulk_target__bulk=made, account__external_id="acct_harbour")


def covered_by_organisation() -> Case:
    decided(rich(), replace(BLOCK, scope=Decision.Scope.ORGANISATION))
    return other_case()


def covered_by_campaign() -> Case:
    decided(rich(), replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
    return other_case()


def being_applied() -> Case:
    decided(opened := rich(), replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
    Decision.objects.update(is_unfinished=True)
    return opened


def being_undone() -> Case:
    closed = undone()
    Decision.objects.update(is_unfinished=True)
    return closed


OPEN: Final[dict[str, Callable[[], Case]]] = {
    "open": rich,
    "in no campaign": linked,
    "held": held,
    "escalated": escalated,
    "reopened": reopened,
    "undone": undone,
    "undone in bulk": undone_in_bulk,
    "being undone": being_undone,
}
CLOSED: Final[dict[str, Callable[[], Case]]] = {
    "restricted": restricted,
    "dismissed": dismissed,
    "decided again": decided_again,
    "decided in bulk": decided_in_bulk,
    "covered by organisation": covered_by_organisation,
    "covered by campaign": covered_by_campaign,
    "being applied": being_applied,
}


def of_campaign() -> Case:
    members = five_accounts()
    for member in members:
        restriction(member)
    return case_with_findings(members)


def campaign_decided() -> Case:
    decide_all(opened := of_campaign())
    return opened


def campaign_undone() -> Case:
    closed = campaign_decided()
    undo_decision(closed, note="A course.", by=person(), now=NOW, is_claimed=False)
    return closed


def campaign_reopened() -> Case:
    reopened_case = reopen(campaign_decided(), by=person(), now=NOW)
    Case.objects.filter(pk=reopened_case.pk).update(claimed_by=None, claimed_until=None)
    return reopened_case


def campaign_being_applied() -> Case:
    closed = campaign_decided()
    Decision.objects.update(is_unfinished=True)
    return closed


def campaign_being_undone() -> Case:
    opened = campaign_undone()
    Decision.objects.update(is_unfinished=True)
    return opened


OPEN_CAMPAIGN: Final[dict[str, Callable[[], Case]]] = {
    "open": of_campaign,
    "undone": campaign_undone,
    "reopened": campaign_reopened,
    "being undone": campaign_being_undone,
}
CLOSED_CAMPAIGN: Final[dict[str, Callable[[], Case]]] = {
    "decided": campaign_decided,
    "being applied": campaign_being_applied,
}
