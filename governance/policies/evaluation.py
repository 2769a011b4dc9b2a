"""Find the accounts that match a policy now, and the reasons why some must not be restricted. Reads only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef

from accounts.models import Account, Licence
from governance.campaigns.models import Campaign
from governance.detection.models import Assessment
from governance.detection.scoring import FAMILIES_FOR_AUTOMATIC
from governance.detection.thresholds import Response
from governance.policies.rules import PolicyFacts, PolicyFile, Rule
from governance.restrictions.kinds import DENYING
from governance.restrictions.models import Restriction
from governance.restrictions.queries import find_strongest_kinds
from governance.review.staff_ceilings import StaffCeiling

LICENSED: Final = "A licence permits training on the answers."
AS_STRONG: Final = "An equal or stronger restriction is in force already."
TOO_FEW_FAMILIES: Final = (
    f"Fewer than {FAMILIES_FOR_AUTOMATIC} kinds of evidence: not enough to refuse access automatically."
)


# The strongest restriction that staff allows, by account, where staff was milder and the evidence has not grown since.
StaffCeilings = Callable[[Sequence[Assessment]], Mapping[int, StaffCeiling]]


class RuleMatch(NamedTuple):
    """An account that a rule fits. `because` is the reason to drop it all the same; empty if there is none."""

    assessment: Assessment
    rule: Rule
    because: str


class EvaluationContext:
    """What rules look at, and what can forbid a restriction, for the accounts of some assessments."""

    def __init__(
        self,
        facts: Mapping[int, PolicyFacts],
        flagged: Collection[int],
        in_force: Mapping[int, str],
        ceilings: Mapping[int, StaffCeiling],
    ) -> None:
        self._facts, self._flagged, self._in_force, self._ceilings = facts, flagged, dict(in_force), ceilings

    @classmethod
    def of(
        cls, assessments: Sequence[Assessment], *, staff_ceilings: StaffCeilings, now: datetime
    ) -> "EvaluationContext":
        found = Account.objects.filter(pk__in=[one.account_id for one in assessments])
        licences = Licence.objects.in_force(at=now).filter(account=OuterRef("pk"), training_permitted=True)
        accounts = found.annotate(is_licensed=Exists(licences)).in_bulk()
        return cls(
            _facts(assessments, accounts, now=now),
            {one.account_id for one in assessments if one.response == Response.CASE},
            find_strongest_kinds([*accounts.values()], now=now),
            staff_ceilings(assessments),
        )

    def is_licensed(self, account_pk: int) -> bool:
        return self._facts[account_pk].licensed

    def rule_for(self, policy: PolicyFile, account_pk: int) -> Rule | None:
        """Return the first rule of the policy that fits the account; None if the account has no case."""
        return policy.rule_for(self._facts[account_pk]) if account_pk in self._flagged else None

    def reason_to_drop(self, kind: str, account_pk: int) -> str:
        """Return why no policy may put this kind of restriction on the account, in a sentence; empty if one may."""
        ceiling, in_force = self._ceilings.get(account_pk), self._in_force.get(account_pk)
        strength = Restriction.strength(kind)
        if ceiling is not None and strength > ceiling.strength:
            return ceiling.because
        if in_force is not None and Restriction.strength(in_force) >= strength:
            return AS_STRONG
        if kind in DENYING and len(self._facts[account_pk].families) < FAMILIES_FOR_AUTOMATIC:
            return TOO_FEW_FAMILIES
        return ""

    def add_restriction(self, account_pk: int, kind: str) -> None:
        """Count a restriction that was made after this context was read."""
        self._in_force[account_pk] = kind

    def matches(self, policy: PolicyFile, assessments: Sequence[Assessment]) -> list[RuleMatch]:
        found = []
        for one in assessments:
            rule = self.rule_for(policy, one.account_id)
            if rule is not None:
                found.append(RuleMatch(one, rule, self.reason_to_drop(rule.action, one.account_id)))
        return found


def match_newest_assessments(policy: PolicyFile, *, staff_ceilings: StaffCeilings, now: datetime) -> list[RuleMatch]:
    """Match the policy with the newest assessment of every account. Highest scores first."""
    flagged = Assessment.objects.flagged().filter(licensed=False, score__gte=policy.least_score)
    if policy.bands:
        flagged = flagged.filter(band__in=policy.bands)
    suspects = list(flagged.latest_of_each().defer("harmless").order_by("-score", "account_id"))
    return EvaluationContext.of(suspects, staff_ceilings=staff_ceilings, now=now).matches(policy, suspects)


def _facts(
    assessments: Sequence[Assessment], accounts: Mapping[int, Account], *, now: datetime
) -> dict[int, PolicyFacts]:
    campaigns = {one.campaign for one in assessments if one.campaign}
    sizes = dict(Campaign.objects.open().filter(pk__in=campaigns).values_list("pk", "size"))
    found = {}
    for one in assessments:
        account = accounts[one.account_id]
        found[one.account_id] = PolicyFacts(
            score=one.score,
            band=one.band,
            families=one.families,
            campaign_size=sizes.get(one.campaign, 0) if one.campaign else 0,
            plan=account.plan,
            licensed=one.licensed or account.is_licensed,  # type: ignore[attr-defined] # annotated
            events=one.events,
            age=now - account.created_at if account.created_at else None,
        )
    return found
