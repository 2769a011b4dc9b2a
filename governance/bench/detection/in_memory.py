"""Score the accounts of a world in memory, by the product's own detectors and search for campaigns.

A backtest does it in the time of the events, in a database. Here all accounts are scored once on the usage they have,
then campaigns are searched for, and the accounts that they concern are scored again. Peers of the ratio are the
packaged ones, and known corpora are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from msgspec import UNSET

from accounts.register import AccountLine
from governance.campaigns.population import ACCOUNTS, TRAITS, Numbers, Population
from governance.campaigns.search import FoundGroup, FoundMember, search_groups
from governance.campaigns.trait_store import LEAST_SHARE, PROMPTS_COMPARED, PUBLIC_FROM
from governance.campaigns.traits import SignUpFacts, Trait, TraitKind, is_evaluation, is_product, list_traits
from governance.detection.active_calibration import parse_calibration_file
from governance.detection.calibration import Calibration, packaged_calibration_text
from governance.detection.detectors import Detector, all_detectors
from governance.detection.scoring import Score, assess
from governance.usage.account_usage import AccountFacts, AccountUsage, CampaignFacts
from governance.usage.profiles.content import STEADY_USES


class Scored(NamedTuple):
    """The score of an account from 0 to 100, and the number of the campaign it belongs to."""

    points: int
    campaign: int | None


class Scorer:
    """Scores worlds by the packaged calibration."""

    def __init__(self) -> None:
        self._detectors: Sequence[Detector] = all_detectors()
        self._calibration: Calibration = parse_calibration_file(packaged_calibration_text())

    def score(self, usages: Mapping[str, AccountUsage], register: Mapping[str, AccountLine]) -> dict[str, Scored]:
        """Return the scores of all accounts that have usage, by name. `register` names at least these."""
        names = sorted(name for name, usage in usages.items() if usage.events)
        traits = [
            [trait for trait in list_traits(usages[name], _sign_up(register[name])) if _lasts(trait)] for name in names
        ]
        organisations = [_text(register[name].organisation) for name in names]
        seen = _with_facts([usages[name] for name in names], [register[name] for name in names], traits, organisations)
        scores = [self._assess(usage) for usage in seen]
        found = search_groups(_population(seen, scores, traits, organisations), _Sketches(seen))
        scored = [Scored(score.points, None) for score in scores]
        for number, group in enumerate(one for one in found if one.verdict.is_campaign):
            for row, facts in _campaign_facts(group):
                is_member = row in group.members
                usage = replace(seen[row], facts=replace(seen[row].facts, **facts))
                scored[row] = Scored(self._assess(usage).points, number if is_member else scored[row].campaign)
        return dict(zip(names, scored, strict=True))

    def _assess(self, usage: AccountUsage) -> Score:
        return assess(usage, self._detectors, self._calibration)


class _Sketches:
    """Reads the sketches of the prompts of some rows."""

    def __init__(self, usages: Sequence[AccountUsage]) -> None:
        self._usages = usages

    def __call__(self, rows: Numbers) -> list[Numbers]:
        return [
            np.array(self._usages[int(row)].sample[:PROMPTS_COMPARED], dtype=np.int64).view(np.uint64) for row in rows
        ]


def _campaign_facts(group: FoundGroup) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the members of a campaign and those near it, each with the facts that this changes."""
    for row, member in group.members.items():
        yield row, {"campaign": _belonging(group, member), "public_share": 0.0, "public_prompts": 0}
    for row, (member, _) in group.left_out.items():
        if "wrapper_of" in member.ties:
            yield row, {"near_campaign": _belonging(group, member)}


def _belonging(group: FoundGroup, member: FoundMember) -> CampaignFacts:
    return CampaignFacts(
        members=len(group.members),
        organisations=group.figures.organisations if group.figures else 0,
        tied_to=member.tied_to,
        belongs=member.belongs,
        counts=group.verdict.strength,
        ties=member.ties,
    )


def _with_facts(
    usages: Sequence[AccountUsage],
    lines: Sequence[AccountLine],
    traits: Sequence[Sequence[Trait]],
    organisations: Sequence[str],
) -> list[AccountUsage]:
    cards = Counter(_text(line.payment_fingerprint) for line in lines)
    sharing = _accounts_sharing_wrappers(traits, organisations)
    sent = Counter(sketch for usage in usages for sketch in usage.sample[:PROMPTS_COMPARED])
    found = []
    for usage, line, others in zip(usages, lines, sharing, strict=True):
        sample, card = usage.sample[:PROMPTS_COMPARED], _text(line.payment_fingerprint)
        facts = AccountFacts(
            created_at=line.created_at if isinstance(line.created_at, datetime) else None,
            plan=_text(line.plan),
            declared_use=_text(line.declared_use),
            country=_text(line.country),
            email_domain=_text(line.email_domain),
            licensed=_is_licensed(line),
            total_events=usage.events,
            card_accounts=cards[card] - 1 if card else 0,
            template_accounts=others,
            customers_known=len(usages),
            public_share=sum(sent[one] >= PUBLIC_FROM for one in sample) / len(sample) if sample else 0.0,
            public_prompts=len(sample),
        )
        found.append(replace(usage, facts=facts))
    return found


def _accounts_sharing_wrappers(traits: Sequence[Sequence[Trait]], organisations: Sequence[str]) -> list[int]:
    """Return how many accounts of other organisations open prompts in words in which each account opens many."""
    steady = [
        {one.digest for one in own if one.kind is TraitKind.OPENING and one.uses >= STEADY_USES} for own in traits
    ]
    users: dict[int, set[int]] = defaultdict(set)
    for row, digests in enumerate(steady):
        for digest in digests:
            users[digest].add(row)
    return [
        sum(organisations[other] != organisations[row] for other in set[int]().union(*(users[one] for one in digests)))
        for row, digests in enumerate(steady)
    ]


def _population(
    usages: Sequence[AccountUsage],
    scores: Sequence[Score],
    traits: Sequence[Sequence[Trait]],
    organisations: Sequence[str],
) -> Population:
    numbers = {name: number for number, name in enumerate(sorted(set(organisations)), 1)}
    accounts = [
        (
            row,
            numbers[organisation] if organisation else None,
            usage.facts.email_domain.lower(),
            usage.facts.licensed,
            usage.texts,
            score.content_log_odds,
            is_product(usage),
            is_evaluation(usage),
            list(usage.slots),
        )
        for row, (usage, score, organisation) in enumerate(zip(usages, scores, organisations, strict=True))
    ]
    shared = [(row, one.kind.value, one.digest, one.share) for row, own in enumerate(traits) for one in own]
    return Population(
        pl.DataFrame(accounts, schema=ACCOUNTS, orient="row"), pl.DataFrame(shared, schema=TRAITS, orient="row")
    )


def _lasts(trait: Trait) -> bool:
    """Return True if the product would store the trait."""
    return trait.share >= LEAST_SHARE or not trait.uses


def _sign_up(line: AccountLine) -> SignUpFacts:
    return SignUpFacts(card=_text(line.payment_fingerprint), address=_text(line.signup_ip))


def _is_licensed(line: AccountLine) -> bool:
    return bool(getattr(line.licence, "training_permitted", False))


def _text(value: Any) -> str:
    return "" if value is None or value is UNSET else str(value)
