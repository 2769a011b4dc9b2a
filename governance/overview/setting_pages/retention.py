"""What is kept how long, where that is set, and what is due for deletion."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db.models import CharField, Count, Q, QuerySet, Value

from governance.platform.expiry import Expiry
from governance.privacy.periods import HERE
from governance.privacy.rule import Does
from governance.privacy.rules import RULES
from governance.staff.credentials import ORIGIN_KEPT_FOR
from governance.staff.models import SignInOrigin
from governance.usage.answer_reports import ANSWER_RETENTION
from governance.usage.models import EventConflict, Excerpt, ReportedAnswer, Retention

BY_RELEASE: Final = "fixed in this release"
_NAMES_HERE: Final = {
    Does.DELETE: "{}",
    Does.REPLACE_TEXTS: "what staff typed, of closed cases and ended restrictions",
    Does.PSEUDONYMIZE: "register of closed {}",
}


class RetentionRow(NamedTuple):
    """Rows of one kind: how long they are kept, by which setting, and how many are over and not deleted yet; None
    where counting them would mean reading all.
    """

    name: str
    days: int
    set_by: str
    due: int | None


class RetentionState(NamedTuple):
    """`events_from` is the first day of which usage events are kept, None where none were dropped yet."""

    kept: list[RetentionRow]
    events_from: Any
    for_ever: tuple[str, ...]


class _Rule(NamedTuple):
    name: str
    over: QuerySet[Any]
    after: timedelta
    set_by: str


def get_retention(*, now: datetime) -> RetentionState:
    """In two queries."""
    rules = [*_rules_of_settings(now=now), *_rules_of_models(now=now)]
    counts = [
        rule.over.order_by()
        .annotate(place=Value(str(number), output_field=CharField()))
        .values("place")
        .annotate(number=Count("pk"))
        .values_list("place", "number")
        for number, rule in enumerate(rules)
    ]
    due = dict(counts[0].union(*counts[1:], all=True))
    kept = [RetentionRow(rule.name, rule.after.days, rule.set_by, due.get(str(n), 0)) for n, rule in enumerate(rules)]
    first_day = Retention.objects.values_list("kept_from", flat=True).first()
    usage = [
        RetentionRow("usage events", settings.EVENT_DAYS, "EVENT_DAYS", None),
        RetentionRow("hourly profiles and weekly sketches", settings.PROFILE_DAYS, "PROFILE_DAYS", None),
    ]
    return RetentionState([*usage, *kept, *_rules_here()], first_day, _kept_for_ever())


def _kept_for_ever() -> tuple[str, ...]:
    """What says something of a person and has no end: docs/privacy.md says why."""
    names = (
        str(apps.get_model(rule.table)._meta.verbose_name_plural)
        for rule in RULES
        if rule.said and rule.kept.startswith("for ever")
    )
    first = ("audit log", "cases, decisions and restrictions, without what was typed")
    return (*first, *(name for name in names if name not in first))


def _rules_here() -> list[RetentionRow]:
    """Those that the task of governance/privacy carries out, the texts of all tables as one."""
    found: dict[str, RetentionRow] = {}
    for rule in RULES:
        if rule.ends is not None and rule.ends.by == HERE and rule.ends.days:
            table = apps.get_model(rule.table)._meta.verbose_name_plural
            name = _NAMES_HERE[rule.ends.does].format(table)
            days = getattr(settings, rule.ends.setting) if rule.ends.setting else int(rule.ends.days)
            found.setdefault(name, RetentionRow(name, days, rule.ends.setting or BY_RELEASE, None))
    return list(found.values())


def _rules_of_settings(*, now: datetime) -> list[_Rule]:
    events = timedelta(days=settings.EVENT_DAYS)
    return [
        _Rule("excerpts", Excerpt.objects.expired(at=now), timedelta(days=settings.EXCERPT_DAYS), "EXCERPT_DAYS"),
        _Rule("conflicting event ids", EventConflict.objects.filter(day__lt=now - events), events, "EVENT_DAYS"),
        _Rule(
            "known responses",
            ReportedAnswer.objects.filter(newest_at__lt=now - ANSWER_RETENTION),
            ANSWER_RETENTION,
            BY_RELEASE,
        ),
        _Rule(
            "devices and networks of sign-ins",
            SignInOrigin.objects.filter(last_used_at__lt=now - ORIGIN_KEPT_FOR),
            ORIGIN_KEPT_FOR,
            BY_RELEASE,
        ),
    ]


def _rules_of_models(*, now: datetime) -> list[_Rule]:
    """Of the models that say for how long their rows are kept: see governance/platform/expiry.py."""
    rules = []
    for model in apps.get_models():
        expiry = getattr(model, "expiry", None)
        if isinstance(expiry, Expiry):
            is_over = Q(**{f"{expiry.field}__lt": now - expiry.after})
            name = str(model._meta.verbose_name_plural)
            rules.append(_Rule(name, model._default_manager.filter(expiry.rows, is_over), expiry.after, BY_RELEASE))
    return rules
