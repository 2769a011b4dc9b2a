"""Making rows old, each by the rule of its table."""

from datetime import datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import QuerySet

from accounts.models import Account
from governance.campaigns.models import AccountSample, AccountTrait, AnswerSample
from governance.detection.models import AccountScore, Assessment
from governance.privacy.rule import Does, Rule
from governance.restrictions.models import Restriction
from governance.review.models import BulkTarget, DecisionTarget
from governance.staff.models import ServiceKey
from governance.usage.models import UsageEvent
from governance.usage.partitions import create_partitions
from governance.web.models import KeptAnswer
from governance.webhooks.models import Delivery
from tests.factories import NOW, assessment

TEXT = "Called Anna Smit of Harbour."
# The rest of `account__sample__taken_at`: there is no such field, since a sample has the key of its account.
SAMPLED = (AccountTrait, AnswerSample)


def aged_rows(rule: Rule, age: timedelta) -> "QuerySet[Any]":
    """Of the table of a rule with an end, in one of everything, the rows that are so old by it."""
    _prepare(rule)
    assert rule.ends is not None
    model: Any = apps.get_model(rule.table)
    rows: QuerySet[Any] = model._default_manager.all()
    if rule.texts and rule.ends.does is Does.REPLACE_TEXTS:
        rows.update(**dict.fromkeys(rule.texts.split(), TEXT))
    _make_old(model, rule.ends.since, NOW - age)
    if model in SAMPLED:
        return rows.filter(account__in=AccountSample.objects.values("pk"))
    if model is Assessment:
        return rows.exclude(pk__in=AccountScore.objects.values("assessment")).filter(events=1)
    old: QuerySet[Any] = rows.filter(**{f"{rule.ends.since}__lte": _value(model, rule.ends.since, NOW - age)})
    return old


def _prepare(rule: Rule) -> None:
    """What must be so for the end of a rule to be near."""
    match rule.table:
        case "accounts.Account":
            Account.objects.filter(external_id="acct_2").update(status=Account.Status.CLOSED, email_domain="smit.nl")
        case "campaigns.AccountTrait":
            AccountTrait.objects.update(account=AccountSample.objects.get().account_id)
        case "detection.Assessment":
            owner = Account.objects.get(external_id="acct_2")
            assessment(owner, events=1, at=NOW - timedelta(days=900))
        case "sessions.Session":
            Session.objects.create(session_key="k", session_data="", expire_date=NOW)
        case "web.KeptAnswer":
            KeptAnswer.objects.create(service_key=ServiceKey.objects.all()[0], key="k", request_digest=b"", at=NOW)
        case "webhooks.Delivery":
            Delivery.objects.update(state=Delivery.State.DELIVERED)
        case "review.DecisionTarget":
            DecisionTarget.objects.update(left_out_because=TEXT)
        case "review.BulkTarget":
            BulkTarget.objects.update(because=TEXT)
    # What a decision made keeps its reasons for as long as it is in force.
    if rule.ends is not None and rule.ends.does is Does.REPLACE_TEXTS:
        Restriction.objects.update(ended_at=NOW, ending=Restriction.Ending.LIFTED)


def _make_old(model: type[models.Model], since: str, at: datetime) -> None:
    """Set the time by which rows age, in their own table or in one that they refer to."""
    *path, name = since.split("__")
    if path == ["account", "sample"]:
        AccountSample.objects.update(taken_at=at)
        return
    for step in path:
        model = _related(model, step)
    value = _value(model, name, at)
    if model is UsageEvent:
        create_partitions([value])
    rows = model._default_manager.all()
    if model._meta.label == "review.Case":
        rows = rows.filter(closed_at__isnull=False)
    if model is Account:
        rows = rows.filter(status=Account.Status.CLOSED)
    rows.update(**{name: value})


def _related(model: type[models.Model], name: str) -> type[models.Model]:
    related = model._meta.get_field(name).related_model
    assert isinstance(related, type)
    return related


def _value(model: type[models.Model], since: str, at: datetime) -> Any:
    """A time, or its day where the field is a date: the day after, unless the time is its very end."""
    *path, name = since.split("__")
    for step in path:
        model = _related(model, step)
    field = model._meta.get_field(name)
    if isinstance(field, models.DateTimeField):
        return at
    return at.date() if at.timetz().replace(tzinfo=None) > time(0) else at.date() - timedelta(days=1)
