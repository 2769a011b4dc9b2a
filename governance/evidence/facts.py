"""What a bundle says of a case, as of its checkpoint: read once, and told by the report and by the data files."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Q

from accounts.models import Account, TermsAcceptance
from governance.campaigns.models import Campaign
from governance.detection.models import Assessment
from governance.evidence.enforcement import measure_gateways
from governance.evidence.leaves import derive_key, record_salt, salted_fields
from governance.evidence.method import describe_method
from governance.evidence.redaction import NOTES, STAFF, Redaction
from governance.evidence.samples import opened
from governance.evidence.scope import Scope
from governance.review.models import Case, Decision
from governance.usage.queries import get_daily_usage

_OF_ASSESSMENT: Final = (
    *("score", "band", "probability", "probability_low", "probability_high", "events", "output_tokens"),
    *("findings", "harmless", "model_version", "licensed"),
)
REGISTER: Final = ("email_domain", "payment_fingerprint", "signup_ip", "declared_use", "country", "plan", "status")


def gather_facts(scope: Scope, redaction: Redaction) -> dict[str, Any]:
    """Return what the report says, as JSON."""
    case, assessments = scope.case, latest_assessments(scope)
    restrictions = list(iter_restrictions(scope, redaction))
    versions = sorted({one.model_version for one in assessments.values()} | {case.assessment.model_version})
    return {
        "case": _case(case),
        "as_of": written(scope.as_of),
        "checkpoint": {
            "origin": scope.origin,
            "size": scope.checkpoint.size,
            "at": written(scope.checkpoint.at),
        },
        "accounts": len(scope.accounts),
        "organisations": len({one.organisation_id for one in scope.accounts} - {None}),
        "terms": _terms(scope),
        "assessment": _assessment(case.assessment),
        "campaign": _campaign(case.campaign) if case.campaign is not None else None,
        "bands": dict(sorted(Counter(one.band for one in assessments.values()).items())),
        "decisions": _decisions(scope, redaction),
        "restrictions": len(restrictions),
        "kinds": dict(sorted(Counter(one["kind"] for one in restrictions).items())),
        "first_restrictions": restrictions[:20],
        "gateways": _gateways([one["number"] for one in restrictions]),
        "usage": _usage(scope),
        "method": describe_method(versions),
        "withheld": redaction.in_words,
    }


def written(at: datetime | None) -> str | None:
    """A time in UTC to the second, as data files and the report have it."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def latest_assessments(scope: Scope) -> dict[int, Assessment]:
    """The newest assessment of each account then, by the account's primary key."""
    made = Assessment.objects.filter(account__in=[one.pk for one in scope.accounts], assessed_at__lte=scope.as_of)
    newest = made.order_by("account_id", "-assessed_at", "-pk").distinct("account_id")
    return {one.account_id: one for one in newest}


def iter_accounts(scope: Scope, redaction: Redaction) -> Iterator[dict[str, Any]]:
    """Yield what the register says of each account, as a leaf with its fields, and how it was assessed."""
    key, assessments = derive_key(settings.FINGERPRINT_KEY), latest_assessments(scope)
    accepted: dict[int, list[dict[str, Any]]] = {}
    for pk, name, at in _acceptances(scope).values_list("account", "terms__name", "accepted_at"):
        accepted.setdefault(pk, []).append({"version": name, "accepted_at": written(at)})
    for account in scope.accounts:
        fields = salted_fields(record_salt(key, "account", account.external_id), _register(account))
        assessed, member = assessments.get(account.pk), scope.members.get(account.pk)
        yield {
            "account": account.external_id,
            **opened(fields, redaction),
            "accepted": accepted.get(account.pk, []),
            "joined_at": written(member.joined_at) if member else None,
            "left_at": written(member.left_at) if member else None,
            "ties": member.ties if member else None,
            "assessment": _assessment(assessed) if assessed else None,
        }


def iter_restrictions(scope: Scope, redaction: Redaction) -> Iterator[dict[str, Any]]:
    """Yield what was put in force on the accounts, their keys and their organisations, in order."""
    found = scope.restrictions.order_by("number")
    targets = ("account__external_id", "key__external_id", "organisation__external_id")
    columns = ("number", *targets, "kind", "reason", "terms_clause", "starts_at", "expires_at", "author", "ended_at")
    for number, account, key, organisation, kind, reason, clause, starts, expires, author, ended in found.values_list(
        *columns
    ):
        is_key = account is None and organisation is None
        yield {
            "number": number,
            "on": "account" if account else "organisation" if organisation else "key",
            "id": redaction.show("api_key", key) if is_key else account or organisation,
            "kind": kind,
            "reason": reason,
            "terms_clause": clause,
            "starts_at": written(starts),
            "expires_at": written(expires),
            "ended_at": written(ended) if ended and ended <= scope.as_of else None,
            "author": redaction.show(STAFF, author) if author.startswith(STAFF) else author,
        }


def _register(account: Account) -> dict[str, Any]:
    organisation = account.organisation
    said = {name: getattr(account, name) for name in REGISTER}
    return said | {
        "organisation": organisation.name if organisation else "",
        "organisation_id": organisation.external_id if organisation else "",
        "created_at": written(account.created_at),
        "first_seen_at": written(account.first_seen_at),
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "id": str(case.pk),
        "about": "account" if case.account_id else "campaign",
        "subject": case.account.external_id if case.account else str(case.campaign_id),
        "opened_at": written(case.opened_at),
        "closed_at": written(case.closed_at),
        "status": case.get_status_display(),
        "score": case.score,
        "band": case.band,
    }


def _assessment(assessment: Assessment) -> dict[str, Any]:
    said = {name: getattr(assessment, name) for name in _OF_ASSESSMENT}
    times = ("assessed_at", "window_start", "window_end")
    return said | {name: written(getattr(assessment, name)) for name in times} | {"chance": assessment.chance}


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": str(campaign.pk),
        "first_seen_at": written(campaign.first_seen_at),
        "opened_at": written(campaign.opened_at),
        "score": campaign.score,
        "findings": campaign.findings,
        "events": campaign.events,
    }


def _acceptances(scope: Scope) -> Any:
    accepted = TermsAcceptance.objects.filter(account__in=[one.pk for one in scope.accounts])
    return accepted.filter(accepted_at__lte=scope.as_of).order_by("accepted_at", "pk")


def _terms(scope: Scope) -> list[dict[str, Any]]:
    versions: dict[str, dict[str, Any]] = {}
    of_terms = ("terms__name", "terms__published_at", "terms__address", "accepted_at")
    for name, published, address, at in _acceptances(scope).values_list(*of_terms):
        first = {"version": name, "published_at": written(published), "address": address, "accounts": 0}
        version = versions.setdefault(name, first | {"first": written(at)})
        version["accounts"] += 1
        version["last"] = written(at)
    return list(versions.values())


def _decisions(scope: Scope, redaction: Redaction) -> list[dict[str, Any]]:
    pks = [one.pk for one in scope.accounts]
    about = Q(case=scope.case) | Q(resolved_cases=scope.case)
    if scope.case.account_id:
        about |= Q(case__account__in=pks)
    found = Decision.objects.filter(about, decided_at__lte=scope.as_of).select_related("decided_by", "undone_by")
    return [
        {
            "at": written(one.decided_at),
            "action": one.get_action_display(),
            "scope": one.get_scope_display(),
            "reason": one.get_reason_display(),
            "terms_clause": one.terms_clause,
            "note": redaction.show(NOTES, one.note),
            "by": redaction.show(STAFF, one.decided_by.name),
            "undone_at": written(one.undone_at),
            "undone_by": redaction.show(STAFF, one.undone_by.name) if one.undone_by else None,
            "undone_note": redaction.show(NOTES, one.undone_note),
        }
        for one in found.distinct().order_by("number")
    ]


def _gateways(numbers: list[int]) -> list[dict[str, Any]]:
    return [
        {
            **one,
            "had_at": written(one["had_at"]),
            "refused_at": written(one["refused_at"]),
            "slowest": None if one["slowest"] is None else round(max(one["slowest"].total_seconds(), 0), 3),
            "refused_after": (
                None if one["refused_after"] is None else round(max(one["refused_after"].total_seconds(), 0), 3)
            ),
        }
        for one in measure_gateways(numbers)
    ]


def _usage(scope: Scope) -> list[dict[str, Any]]:
    """The days that are sealed, by which events can be proved, and the others up to then."""
    days = get_daily_usage([one.pk for one in scope.accounts])
    return [
        {
            "day": str(one.day),
            "requests": one.requests,
            "output_tokens": one.output_tokens,
            "sealed_by_entry": scope.seals[one.day].entry if one.day in scope.seals else None,
            "seal": scope.seals[one.day].number if one.day in scope.seals else None,
        }
        for one in days
        if one.day < scope.as_of.date()
    ]
