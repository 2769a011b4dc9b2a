"""What staff typed about an account, in the tables that governance/privacy/rules.py lists, and how it is replaced."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from governance.privacy.rule import ERASED_TEXT, Rule
from governance.privacy.rules import RULES

# Texts about several accounts, by where the accounts are: of these only what quotes the person is replaced.
SHARED: Final = {
    "review.Step": ("text", "case__campaign__members__account"),
    "review.Decision": ("note", "case__campaign__members__account"),
    "review.BulkDecision": ("note", "targets__account"),
    "campaigns.CampaignRule": ("reason", "accounts__account"),
}
# A shorter value, such as a country, would be found in other words.
SHORTEST_QUOTED: Final = 4


class Typed(NamedTuple):
    """Rows of a table in which one of `fields` holds a text."""

    rule: Rule
    fields: Sequence[str]
    rows: "QuerySet[Any]"

    def replace(self) -> int:
        """Replace the texts. Return in how many rows."""
        rows = list(self.rows.only("pk", *self.fields))
        for row in rows:
            for name in self.fields:
                if getattr(row, name):
                    setattr(row, name, ERASED_TEXT)
        self.rows.model._default_manager.bulk_update(rows, self.fields, batch_size=500)
        return len(rows)


def model_of(rule: Rule) -> type[Model]:
    return apps.get_model(rule.table)


def holds_text(fields: Collection[str]) -> Q:
    """For a filter: one of these fields holds a text that was not replaced yet."""
    held = Q()
    for name in fields:
        held |= ~Q(**{f"{name}__in": ["", ERASED_TEXT]})
    return held


def typed_about(account_pks: Any) -> Iterator[Typed]:
    """Yield, table by table, the rows of these accounts (keys, or a query of them) that hold typed text."""
    for rule in RULES:
        if rule.texts and rule.account:
            rows = model_of(rule)._default_manager.filter(
                holds_text(rule.texts.split()), **{f"{rule.account}__in": account_pks}
            )
            yield Typed(rule, rule.texts.split(), rows.order_by("pk"))


def replace_quotations(account_pks: Collection[int], values: Collection[str]) -> int:
    """Replace these values in texts about several accounts of which these are some. Return in how many rows."""
    quoted = sorted({one for one in values if len(one) >= SHORTEST_QUOTED}, key=len, reverse=True)
    if not quoted:
        return 0
    changed = 0
    for label, (field, path) in SHARED.items():
        mentions = Q()
        for value in quoted:
            mentions |= Q(**{f"{field}__icontains": value})
        manager = apps.get_model(label)._default_manager
        found = manager.filter(mentions, **{f"{path}__in": list(account_pks)}).order_by().values("pk")
        rows = list(manager.filter(pk__in=found).order_by("pk"))
        for row in rows:
            setattr(row, field, without(getattr(row, field), quoted))
        manager.bulk_update(rows, [field], batch_size=500)
        changed += len(rows)
    return changed


def without(value: Any, quoted: Sequence[str]) -> Any:
    """Return text, or JSON with texts in it, in which these values are replaced, however they are capitalised."""
    if isinstance(value, str):
        for one in quoted:
            value = re.sub(re.escape(one), ERASED_TEXT, value, flags=re.IGNORECASE)
        return value
    if isinstance(value, list):
        return [without(one, quoted) for one in value]
    if isinstance(value, dict):
        return {name: without(one, quoted) for name, one in value.items()}
    return value
