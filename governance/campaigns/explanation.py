"""The explanation of an account's score as plain text.

Its findings, their figures, and what else could explain them.
"""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any, Final

from django.utils.dateformat import format as dated

from accounts.models import Account
from governance.campaigns.models import CampaignMember
from governance.detection.figures import figure_label
from governance.detection.finding import Family, percent
from governance.detection.models import Assessment
from governance.detection.scoring import REVIEW_LINE
from governance.detection.thresholds import Response
from governance.web.counts import pluralize
from governance.web.visible import escape_invisible, escape_invisible_lines

WIDTH: Final = 96
MEMBERS_NAMED: Final = 12
DAY: Final = "j F Y"
MOMENT: Final = "j F Y, H:i"

_TIES: Final = {
    "wrappers": "prompts in its words",
    "hours": "active in its ten minutes",
    "addresses": "requests from its addresses",
    "card": "on its cards",
    "wrapper_of": "use of its wrappers",
}


def explanation_note(account: Account) -> str:
    """Return the explanation of an account's latest assessment as plain text."""
    latest = Assessment.objects.filter(account=account).order_by("-assessed_at", "-pk").first()
    if latest is None:
        return f"{account}: not assessed yet; no usage of it was received.\n"
    return escape_invisible_lines("\n".join([*_head(account, latest), *_body(latest), *_campaign(account)]) + "\n")


def _head(account: Account, latest: Assessment) -> Iterator[str]:
    yield f"{account}: {latest.score} points of 100, {latest.band}"
    yield f"Probability of a harvest: {latest.chance}, by {pluralize(latest.texts, 'prompt')}."
    organisation = f"{account.organisation}, " if account.organisation else ""
    since = f", customer since {dated(account.created_at, DAY)}" if account.created_at else ""
    declared = f" It declared its use as “{escape_invisible(account.declared_use)}”." if account.declared_use else ""
    yield _wrap_text(f"{organisation}plan {escape_invisible(account.plan) or 'not known'}{since}.{declared}")
    yield _wrap_text(
        f"Assessed {dated(latest.assessed_at, MOMENT)} UTC by calibration {latest.model_version}: the figures below "
        f"are of that time. Confirmed {dated(latest.confirmed_at, 'j F, H:i')} on "
        f"{pluralize(latest.events, 'request')} from {dated(latest.window_start, 'j F')} to "
        f"{dated(latest.window_end, DAY)}: the same detectors, and the same score within a point."
    )
    yield _wrap_text(_consequence(latest))


def _consequence(latest: Assessment) -> str:
    if latest.licensed:
        return "A licence permits training on the answers: no action follows, whatever the score."
    families = {one["family"] for one in latest.findings if one["points"] > 0}
    several = f"{len(families)} independent kinds of evidence are"
    kinds = several if len(families) > 1 else "one kind of evidence is"
    if latest.response == Response.CASE:
        return f"A person decides: the review line is {REVIEW_LINE}, and {kinds} against it."
    short = REVIEW_LINE - latest.score
    if short <= 0:
        return "No action."
    return f"No action: it is {pluralize(short, 'point')} short of the review line."


def _body(latest: Assessment) -> Iterator[str]:
    against = [one for one in latest.findings if one["points"] >= 0 and one["family"] != "harmless"]
    in_favour = [one for one in latest.findings if one["family"] == "harmless"]
    yield ""
    yield "Findings against it" if against else "No findings against it."
    for one in against:
        yield from _finding(one)
    if in_favour:
        yield ""
        yield "Findings in its favour"
        for one in in_favour:
            yield from _finding(one)
    if latest.harmless:
        yield ""
        yield "The strongest innocent explanation"
        yield _wrap_text(f"{latest.harmless['explanation']} {latest.harmless['because']}", indent=2)
        yield _wrap_text(_figures(latest.harmless["evidence"]), indent=2)
    if against and latest.score >= REVIEW_LINE:
        yield ""
        yield _wrap_text(_what_it_hangs_on(against, latest.score))


def _finding(one: Mapping[str, Any]) -> Iterator[str]:
    yield _wrap_text(f"{one['points']:+4d}  {one['title']} ({one['family']}). {one['sentence']}", indent=2, hang=8)
    yield _wrap_text(_figures({"strength": one["strength"], **one["evidence"]}), indent=8)
    if one["family"] != "harmless":
        yield _wrap_text(f"Possible innocent explanation: {one['harmless']}", indent=8)


def _what_it_hangs_on(against: Sequence[Mapping[str, Any]], score: int) -> str:
    """Return the sentence that names each piece of evidence without which the score would be below the review line."""
    points = {one["title"]: one["points"] for one in against if not _is_campaigns(one)}
    if whole := sum(one["points"] for one in against if _is_campaigns(one)):
        points["its membership of the campaign"] = whole
    decisive = [title for title, worth in points.items() if score - worth < REVIEW_LINE]
    if not decisive:
        return "No single finding is decisive: without any one of them the score stays above the review line."
    without = "it" if len(decisive) == 1 else "any one of these"
    return f"Decisive: {'; '.join(decisive)}. Without {without} the score falls below the review line."


def _is_campaigns(one: Mapping[str, Any]) -> bool:
    return one["family"] == Family.TOGETHER or bool(one["evidence"].get("campaign_wide"))


def _campaign(account: Account) -> Iterator[str]:
    member = CampaignMember.objects.current().filter(account=account).select_related("campaign").first()
    if member is None:
        return
    campaign = member.campaign
    yield ""
    size, points = pluralize(campaign.size, "account"), pluralize(campaign.score, "point")
    yield f"Campaign {campaign.pk}: {size}, {campaign.state}; counts up to {points} against a member"
    yield _wrap_text(
        f"First seen {dated(campaign.first_seen_at, MOMENT)} UTC. This account joined "
        f"{dated(member.joined_at, 'j F, H:i')}; it has wrappers, an address or a card in common with "
        f"{pluralize(member.tied_to, 'member')} ({_strengths(member.ties)}).",
        indent=2,
    )
    if campaign.state == campaign.State.WATCHED:
        yield _wrap_text(f"Watched, and adds no points. {campaign.watched_because}", indent=2)
    for one in campaign.findings:
        yield _wrap_text(f"{one['title']}. {one['sentence']}", indent=2, hang=4)
        yield _wrap_text(f"Possible innocent explanation: {one['harmless']}", indent=4)
    others = campaign.members.current().exclude(pk=member.pk).select_related("account")
    for other in others[:MEMBERS_NAMED]:
        yield _wrap_text(f"{other.account}: {_strengths(other.ties)}", indent=2, hang=4)
    if (more := campaign.size - 1 - MEMBERS_NAMED) > 0:
        yield f"  and {more} more"
    for left in campaign.members.left_out().select_related("account"):
        yield f"  left out: {left.account}. {left.left_out_because}"


def _strengths(ties: Mapping[str, float]) -> str:
    strongest_first = sorted(ties.items(), key=lambda item: -item[1])
    return ", ".join(f"{_TIES[tie]} {percent(value)}" for tie, value in strongest_first) or "joined by little"


def _figures(evidence: Mapping[str, Any]) -> str:
    return ", ".join(f"{figure_label(name)} {_figure(value)}" for name, value in evidence.items())


def _figure(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _wrap_text(text: str, *, indent: int = 0, hang: int | None = None) -> str:
    return fill(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent if hang is None else hang),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
