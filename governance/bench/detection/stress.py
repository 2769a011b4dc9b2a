"""Dress up the harvests of a labelled world step by step, and measure after each step who is still found.

A fifth of the ordinary customers are donors: they lend what harvests put on and are left out of every step, so that
nothing that is put on is met twice. Accounts are scored in memory (see `in_memory`), at the end and, for the requests
before the flag, on what they had sent by the end of every so many hours.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from accounts.register import AccountLine, parse_account_line
from governance.bench.detection import dressing
from governance.bench.detection.dressing import Dressing, Event
from governance.bench.detection.in_memory import Scored, Scorer
from governance.bench.detection.measures import Measures, Share, measure_world
from governance.bench.detection.outcome import match_campaigns
from governance.bench.detection.usages import build_usages, build_world_deltas
from governance.bench.detection.world import LabelledWorld, Sent, WorldLabel, files_of, read_labels
from governance.campaigns.queries import RankedAccount
from governance.detection.scoring import REVIEW_LINE
from governance.usage.files import open_usage_file, read_lines

DONORS: Final = 0.2
# Requests of an account after the harvest has been dealt out.
REQUESTS_EACH: Final = 50
# A campaign is found if half of its members are in one group, of which this share are its members.
LEAST_FOUND, LEAST_PURITY = 0.5, 0.95

COVER, DEALT_OUT = "cover traffic", "dealt out"
STEPS: Final[Mapping[str, Dressing | None]] = {
    "as they are": None,
    "system prompts": dressing.add_system_prompts,
    "end users": dressing.add_end_users,
    "conversations": dressing.group_into_conversations,
    "settings": dressing.copy_settings,
    "pace": dressing.copy_pace,
    COVER: dressing.add_cover,
    DEALT_OUT: None,
    "other words": dressing.paraphrase_prompts,
}
# In which order they are put on: cover must not be reworded, and is asked in its own time.
_ORDER: Final = (*(name for name in STEPS if name != COVER), COVER)


class StepResult(NamedTuple):
    """What is found after a step.

    `before_flag` are the median requests of harvests before their flag, of those alone and of members of campaigns; one
    that was never flagged could make all of its requests.
    """

    step: str
    measures: Measures
    harvests: Share
    others: Share
    campaigns: Share
    before_flag: tuple[float, float]


@dataclass
class StressWorld:
    """A labelled world in parts: the deltas of those who stay as they are, the events of harvests and donors."""

    labels: dict[str, WorldLabel]
    register: dict[str, AccountLine]
    numbers: dict[str, int]
    steady: pl.DataFrame
    harvests: dict[str, list[Event]]
    donors: list[list[Event]]
    key: bytes
    sent: dict[str, Sent] = field(default_factory=dict)


def _dice(*purpose: object) -> Random:
    return Random("/".join(map(str, purpose)))  # noqa: S311 - seeded, no secrets


class _Who(msgspec.Struct):
    account: str


def read_stress_world(folder: str, *, key: bytes, seed: int = 0) -> StressWorld:
    """Read a world. Raises OSError, and ValueError if it has no harvest or too few ordinary customers with text."""
    labels = read_labels(folder)
    events, accounts, _ = files_of(folder)
    lines = (parse_account_line(line) for line in Path(accounts).read_bytes().splitlines() if line.strip())
    register = {line.account: line for line in lines}
    benign = sorted(name for name, one in labels.items() if one.label == "benign" and one.text == "text")
    donors = {*_dice(seed, "donors").sample(benign, int(DONORS * len(benign)))}
    malicious = {name for name, one in labels.items() if one.label == "malicious"}
    aside: dict[str, dict[str, Event]] = defaultdict(dict)
    numbers: dict[str, int] = {}
    with open_usage_file(events) as file:
        steady = build_world_deltas(_steady(read_lines(events, file), donors | malicious, aside), numbers, key=key)
    kept = {name: one for name, one in labels.items() if name not in donors and (name in numbers or name in malicious)}
    harvests = {name: [*aside[name].values()] for name in sorted(malicious) if aside[name]}
    lent = [[*aside[name].values()] for name in sorted(donors) if len(aside[name]) >= 10]
    if not harvests or not lent:
        raise ValueError("it has no harvests or too few other customers with text")
    return StressWorld(kept, register, numbers, steady, harvests, lent, key)


def _steady(lines: Iterator[bytes], apart: set[str], aside: dict[str, dict[str, Event]]) -> Iterator[bytes]:
    """Yield the lines of accounts that are not `apart`; the others' events are put into `aside`, once each."""
    who = msgspec.json.Decoder(_Who)
    for line in lines:
        if line.strip():
            account = who.decode(line).account
            if account in apart:
                event = msgspec.json.decode(line)
                aside[account].setdefault(event["id"], event)
            else:
                yield line


def stress(world: StressWorld, *, every: timedelta, one_by_one: bool = False, seed: int = 0) -> Iterator[StepResult]:
    """Yield what is found after each step. Steps are put on top of each other, or `one_by_one` each by itself."""
    scorer = Scorer()
    worn: list[str] = []
    for step in STEPS:
        worn = [step] if one_by_one else [*worn, step]
        yield _measure(step, world, dict(_dress_harvests(world, worn, seed=seed)), scorer, every=every)


def _dress_harvests(world: StressWorld, worn: Sequence[str], *, seed: int) -> Iterator[tuple[str, list[Event]]]:
    """Yield the accounts of all harvests in these clothes, with their events."""
    for name, events in world.harvests.items():
        # Dice of their own for each step, so that a step changes nothing of what another puts on.
        shares = [events]
        if DEALT_OUT in worn:
            shares = [
                *dressing.split_over_accounts(events, most=REQUESTS_EACH, account=name, dice=_dice(seed, name, "deal"))
            ]
        for part, share in enumerate(shares):
            own = share
            donor = _dice(seed, name, part).choice(world.donors)
            for step in _ORDER:
                put_on = STEPS[step]
                if step in worn and put_on is not None:
                    own = put_on(own, donor, _dice(seed, name, part, step))
            yield own[0]["account"], own


def _measure(
    step: str, world: StressWorld, dressed: Mapping[str, list[Event]], scorer: Scorer, *, every: timedelta
) -> StepResult:
    numbers = dict(world.numbers)
    ordered = sorted((event for own in dressed.values() for event in own), key=lambda event: str(event["occurred_at"]))
    deltas = pl.concat([world.steady, build_world_deltas(map(msgspec.json.encode, ordered), numbers, key=world.key)])
    register = {**world.register, **{name: _register_line(world, name) for name in dressed if "~" in name}}
    labels = {name: one for name, one in world.labels.items() if one.label != "malicious"}
    labels |= {name: _label(world, name, dressed) for name in dressed}
    times = {name: sorted(datetime.fromisoformat(one["occurred_at"]) for one in own) for name, own in dressed.items()}
    judged = LabelledWorld(labels, {name: Sent(at) for name, at in times.items()})

    def scores(before: datetime) -> dict[str, Scored]:
        return scorer.score(build_usages(deltas, numbers, before=before), register)

    flagged, final = _first_flags(scores, times, every=every)
    places = {name: _place(name, final.get(name), flagged.get(name)) for name in labels}
    matches = match_campaigns(judged, places)
    found = [one for one in matches if one.recall >= LEAST_FOUND and one.purity >= LEAST_PURITY]
    harvests = [name in flagged for name in dressed]
    others = [name in flagged for name in labels if name not in dressed]
    return StepResult(
        step,
        measure_world(judged, {name: float(one.points) for name, one in final.items()}),
        Share(sum(harvests), len(harvests)),
        Share(sum(others), len(others)),
        Share(len(found), len(matches)),
        _before_flag(labels, times, flagged),
    )


def _first_flags(
    scores: Callable[[datetime], dict[str, Scored]], times: Mapping[str, Sequence[datetime]], *, every: timedelta
) -> tuple[dict[str, datetime], dict[str, Scored]]:
    """Return when each account, harvest or not, was first seen to reach the review line, and the scores at the end."""
    first, last = min(at[0] for at in times.values()), max(at[-1] for at in times.values())
    at = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    flagged: dict[str, datetime] = {}
    found: dict[str, Scored] = {}
    while at <= last:
        at += every
        found = scores(at)
        for name, one in found.items():
            if one.points >= REVIEW_LINE:
                flagged.setdefault(name, at)
    return flagged, found


def _before_flag(
    labels: Mapping[str, WorldLabel], times: Mapping[str, Sequence[datetime]], flagged: Mapping[str, datetime]
) -> tuple[float, float]:
    counts: dict[bool, list[int]] = {False: [], True: []}
    for name, own in times.items():
        end = flagged.get(name)
        counts[labels[name].campaign is not None].append(sum(end is None or at < end for at in own))
    alone, members = (float(median(counts[member])) if counts[member] else 0.0 for member in (False, True))
    return alone, members


def _place(name: str, scored: Scored | None, flagged_at: datetime | None) -> RankedAccount:
    campaign = None if scored is None or scored.campaign is None else str(scored.campaign)
    return RankedAccount(name, scored.points if scored else 0, flagged_at is not None, flagged_at, campaign)


def _label(world: StressWorld, name: str, dressed: Mapping[str, Any]) -> WorldLabel:
    """Return the label of an account; the parts of a harvest that was dealt out are one campaign."""
    whole = name.partition("~")[0]
    known = world.labels[whole]
    campaign = known.campaign or (f"parts of {whole}" if f"{whole}~3" in dressed else None)
    return WorldLabel(name, known.label, known.family, campaign, known.text)


def _register_line(world: StressWorld, name: str) -> AccountLine:
    """Return the register's line of one of many accounts of a harvest: a card, a domain and an address of its own."""
    known = world.register[name.partition("~")[0]]
    own = {"account": name, "organisation": f"org~{name}", "payment_fingerprint": f"card~{name}"}
    return msgspec.structs.replace(known, **own, email_domain="", signup_ip="")
