"""Say in sentences what ties a campaign and what its members do together. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from governance.campaigns.evidence import GroupFigures
from governance.campaigns.groups import Basis
from governance.campaigns.search import FoundGroup
from governance.campaigns.verdict import MOST_OVERLAP, Reason, Verdict
from governance.detection.finding import Family, at_least, percent
from governance.detection.serialization import STRENGTH_DECIMALS
from governance.web.counts import pluralize

VERSION: Final = 3

TOOL: Final = "A public tool or a course, whose users are given different work in the same words."
CONTENT: Final = "A trade whose work reads like a data set, such as authors of tests or of a quiz."
WORK: Final = "Customers of one trade, each with work of their own."

_WATCHED: Final = {
    Reason.CONTENT: "Its members' prompts, taken together, do not read like a harvest.",
    Reason.INSTITUTION: "{domain} of its members have one e-mail domain: an institution or one customer.",
    Reason.SAME_PROMPTS: "Members send the same prompts ({overlap}), as users of a public evaluation or tool do.",
    Reason.EVALUATION: "Its members' requests look like those of an evaluation: short, settled answers.",
}


def why_watched(verdict: Verdict) -> str:
    """Return why a group is no campaign; empty for a campaign."""
    if verdict.watched_for is None:
        return ""
    return _WATCHED[verdict.watched_for].format(
        domain=percent(verdict.domain_share), overlap=percent(verdict.overlap or 0.0)
    )


def campaign_findings(group: FoundGroup, *, points: int) -> list[dict[str, Any]]:
    """Return the findings of a campaign in the form of an assessment's, adding up to `points`; none if it is watched.

    Half is for what ties the accounts, which is enough to count at all, and the rest for how far their content exceeds
    what is asked of a group. That the work is divided adds no points: it is what keeps the group from being watched.
    """
    verdict, figures = group.verdict, group.figures
    if figures is None:
        return []
    for_ties = round(points * 0.5 / verdict.strength) if verdict.strength else 0
    content = verdict.strength, points - for_ties
    return [
        _finding("acts_with_others", "Acts as one", Family.TOGETHER, verdict.strength, for_ties, TOOL)
        | {"sentence": " ".join(_ties(figures)), "evidence": _tie_figures(figures)},
        _finding("members_content", "What members ask for", Family.CONTENT, *content, CONTENT)
        | {"sentence": _content(verdict), "evidence": _content_figures(verdict)},
        _finding("divided_work", "How the work is divided", Family.TOGETHER, 1 - (verdict.overlap or 0.0), 0, WORK)
        | {"sentence": _work(figures, verdict), "evidence": {"overlap": round(verdict.overlap or 0.0, 3)}},
    ]  # fmt: skip


def _finding(name: str, title: str, family: Family, strength: float, points: int, harmless: str) -> dict[str, Any]:
    return {
        "detector": name,
        "title": title,
        "family": family.value,
        "version": VERSION,
        "strength": round(strength, STRENGTH_DECIMALS),
        "points": points,
        "harmless": harmless,
    }


def _ties(figures: GroupFigures) -> Iterator[str]:
    """Yield a sentence for each kind of tie."""
    who = f"{pluralize(figures.accounts, 'account')} of {pluralize(figures.organisations, 'organisation')}"
    if figures.wrappers:
        yield (
            f"{who} open or close {at_least(figures.wrapped)} of their prompts in the same "
            f"{pluralize(figures.wrappers, 'wording')}, and use these equally often. "
            f"{_users_elsewhere(figures)} half of these wordings or more."
        )
    if figures.basis is Basis.HOURS or figures.times_chance >= 3:
        subject = who if figures.basis is Basis.HOURS and not figures.wrappers else "They"
        yield (
            f"{subject} are active in the same ten minutes {figures.times_chance:.1f} times as often as by chance, "
            f"above all on {pluralize(figures.days, 'day')}."
        )
    if figures.cards:
        yield f"{figures.on_cards} are paid by {pluralize(figures.cards, 'card')}."
    if figures.addresses:
        yield f"{figures.at_addresses} use {pluralize(figures.addresses, 'address', 'addresses')} of another member."


def _users_elsewhere(figures: GroupFigures) -> str:
    others = pluralize(figures.population - figures.accounts, "other account")
    if not figures.users_elsewhere:
        return f"None of {others} uses"
    return f"{figures.users_elsewhere:,} of {others} {'uses' if figures.users_elsewhere == 1 else 'use'}"


def _tie_figures(figures: GroupFigures) -> dict[str, Any]:
    return {
        "accounts": figures.accounts,
        "organisations": figures.organisations,
        "wrappers": figures.wrappers,
        "wrapped_share": figures.wrapped,
        "users_elsewhere": figures.users_elsewhere,
        "times_chance": figures.times_chance,
        "days_together": figures.days,
        "cards": figures.cards,
        "on_cards": figures.on_cards,
        "addresses": figures.addresses,
        "at_addresses": figures.at_addresses,
    }


def _content(verdict: Verdict) -> str:
    of = "the half of them that reads most like one" if verdict.is_covered else "them"
    said = (
        f"Judged one by one, {percent(verdict.positive)} of {verdict.with_text} members with text read more like a "
        f"harvest than like ordinary use. The mean log-odds of a harvest are {_signed(verdict.mean)} for {of}; a "
        f"campaign needs {verdict.line:.1f}."
    )
    if verdict.highest_other is None:
        return said
    others = pluralize(verdict.others, "other group")
    return f"{said} The highest of {others} that no campaign was made of has {_signed(verdict.highest_other)}."


def _signed(value: float) -> str:
    """Return a number with one decimal and a minus sign that is no hyphen."""
    return f"{value:.1f}".replace("-", "\N{MINUS SIGN}")


def _content_figures(verdict: Verdict) -> dict[str, Any]:
    return {
        "with_text": verdict.with_text,
        "mean_log_odds": round(verdict.mean, 2),
        "line": verdict.line,
        "positive_share": round(verdict.positive, 3),
        "other_groups": verdict.others,
        "highest_other": None if verdict.highest_other is None else round(verdict.highest_other, 2),
    }


def _work(figures: GroupFigures, verdict: Verdict) -> str:
    return (
        f"Members share out {pluralize(figures.texts, 'prompt')}: another member also sent "
        f"{percent(verdict.overlap or 0.0)} of a member's sampled prompts. Among users of one public evaluation it is "
        f"{percent(MOST_OVERLAP)} or more."
    )
