"""What governance/privacy/rules.py ends here: deleted or replaced in portions, so that nobody waits for long."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Account
from governance.platform.expiry import delete_in_portions
from governance.privacy.erasure import pseudonymize_account_batch
from governance.privacy.holds import cover_held_accounts, hold_lock
from governance.privacy.models import is_campaign_held, is_held
from governance.privacy.periods import HERE
from governance.privacy.rule import Does, Rule
from governance.privacy.rules import RULES
from governance.privacy.texts import Typed, holds_text, model_of

PORTION: Final = 500


class Due(NamedTuple):
    """A rule that ends here, and the rows whose time is over."""

    rule: Rule
    rows: "QuerySet[Any]"


def apply_retention(*, now: datetime) -> Counter[str]:
    """Delete, replace or pseudonymise what the rules end here. Return how many rows, by table."""
    cover_held_accounts(now=now)
    Account.objects.filter(status=Account.Status.CLOSED, closed_at=None).update(closed_at=now)
    done = Counter[str]()
    for rule, rows in list_due(now=now):
        assert rule.ends is not None  # noqa: S101 - for the type checker
        match rule.ends.does:
            case Does.DELETE:
                done[rule.table] += delete_in_portions(rows, portion=PORTION)[rule.table]
            case Does.REPLACE_TEXTS:
                done[rule.table] += _replace(rule, rows)
            case Does.PSEUDONYMIZE:
                while erased := pseudonymize_account_batch(rows, now=now):
                    done[rule.table] += erased
    return done


def list_due(*, now: datetime) -> Iterator[Due]:
    """Yield the rules that end here with the rows whose time is over, but for those under a legal hold."""
    for rule in RULES:
        if rule.ends is not None and rule.ends.by == HERE:
            days = getattr(settings, rule.ends.setting) if rule.ends.setting else rule.ends.days
            yield Due(rule, _over(rule, now - timedelta(days=days)))


def _over(rule: Rule, before: datetime) -> "QuerySet[Any]":
    model = model_of(rule)
    assert rule.ends is not None  # noqa: S101 - for the type checker
    rows = model._default_manager.all()
    match rule.table:
        case "accounts.Account":
            return rows.filter(~is_held("pk"), status=Account.Status.CLOSED, erased_at=None, closed_at__lt=before)
        case "campaigns.AccountTrait" | "campaigns.AnswerSample":
            sample = apps.get_model("campaigns", "AccountSample")._default_manager
            old = Exists(sample.filter(account=OuterRef("account"), taken_at__lt=before))
            return rows.filter(old, ~is_held())
        case "detection.Assessment":
            return rows.filter(~is_held(), *_unused(model), confirmed_at__lt=before)
        case "sessions.Session":
            return rows.filter(expire_date__lt=before)
    rows = rows.filter(**{f"{rule.ends.since}__lt": before})
    if rule.ends.does is not Does.REPLACE_TEXTS:
        return rows.filter(~is_held())
    rows = rows.filter(holds_text(rule.texts.split()))
    if rule.account:
        rows = rows.filter(~is_held(rule.account))
    case = {"review.Case": "", "restrictions.Restriction": None, "review.BulkTarget": None, "review.BulkDecision": None}
    path = case.get(rule.table, rule.ends.since.removesuffix("closed_at"))
    return rows if path is None else rows.filter(~is_campaign_held(f"{path}campaign"), ~_still_in_force(path))


def _unused(model: Any) -> list[Any]:
    """For a filter: no row of another table refers to it. The newest assessment is in the table of scores."""
    return [
        ~Exists(one.related_model._default_manager.filter(**{one.field.name: OuterRef("pk")}).order_by())
        for one in model._meta.get_fields(include_hidden=True)
        if one.auto_created and not one.concrete
    ]


def _still_in_force(path: str) -> Exists:
    """Whether a restriction that was decided in the case is in force: its reasons are kept as long."""
    decisions = apps.get_model("review", "Decision")._default_manager.filter(
        case=OuterRef(f"{path}pk"), restriction__isnull=False, restriction__ended_at=None
    )
    return Exists(decisions)


def _replace(rule: Rule, rows: "QuerySet[Any]") -> int:
    replaced = 0
    while True:
        with transaction.atomic():
            hold_lock(shared=True)
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:PORTION])
            some = rows.model._default_manager.filter(pk__in=keys)
            replaced += Typed(rule, rule.texts.split(), some).replace()
        if len(keys) < PORTION:
            return replaced
