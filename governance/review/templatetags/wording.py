"""`wording.py` as template filters. They take `now`, so that all times on a page refer to one moment."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template

from governance.restrictions.kinds import KindInfo
from governance.review import models, wording
from governance.review.models import Step
from governance.review.shortcuts import MOVING, WORKING, Shortcut
from governance.review.steps import newest_answer

register = template.Library()


@register.filter
def ago(moment: datetime, now: datetime) -> str:
    return wording.format_ago(moment, now=now)


@register.filter
def due(moment: datetime, now: datetime) -> str:
    return wording.format_due(moment, now=now)


@register.filter
def left(moment: datetime, now: datetime) -> str:
    return wording.format_duration(moment - now)


@register.filter
def took(length: timedelta) -> str:
    return wording.format_elapsed(length)


@register.filter
def compact(number: float) -> str:
    return wording.format_compact(number)


@register.filter
def share(part: float) -> str:
    """A share from 0 to 1: `94 %`."""
    return wording.format_figure("_share", float(part))


@register.filter
def initials(name: str) -> str:
    """Of the first and the last word: `MO`."""
    words = name.split()
    return "".join(word[0] for word in dict.fromkeys((*words[:1], *words[-1:]))).upper() or "?"


@register.filter
def person(author: str) -> str:
    """Who wrote a restriction or an entry, without the kind of actor before it."""
    return author.partition(":")[2] or author


@register.filter
def action_info(action: str) -> KindInfo:
    """What follows from an action or a kind of restriction: `{% with row=action|action_info %}`."""
    return models.action_info(action)


@register.filter
def command(action: str, whom: str) -> str:
    """The button that decides on an action: `Block the account`."""
    return models.action_info(action).command.replace("{whom}", whom)


@register.filter
def outcome(action: str) -> str:
    return wording.outcome_word(action)


@register.filter
def item(mapping: Mapping[Any, Any], key: object) -> Any:
    """What a mapping has under a key; empty where it has nothing."""
    return mapping.get(key, "")


@register.simple_tag(takes_context=True)
def shortcuts(context: dict[str, Any]) -> list[list[Shortcut]]:
    """The keyboard shortcuts of somebody who is signed in: moving about, and working on a case."""
    allowed = context["user"].has_perm
    return [[one for one in some if not one.permission or allowed(one.permission)] for some in (MOVING, WORKING)]


@register.filter
def last_answer(history: Sequence[Step]) -> Step | None:
    """What a lead answered last, of the newest steps of a case."""
    return newest_answer(history)
