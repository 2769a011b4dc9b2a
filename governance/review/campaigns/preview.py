"""What a decision about the ticked members of a campaign would do, before it is made."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from governance.restrictions.queries import AffectedAccount, affected_accounts
from governance.review.campaigns.members import MemberOfCampaign, campaign_share_of_members_traffic, load_members
from governance.review.cases_of_others import cases_of_others
from governance.review.models import Case
from governance.review.verdicts import Ticks, Verdict
from governance.staff.models import User


class AffectedMember(NamedTuple):
    """A ticked member, with its keys, its licence and what is in force on it."""

    member: MemberOfCampaign
    affected: AffectedAccount


class CampaignDecisionPreview(NamedTuple):
    """Whom a decision would cover and leave out.

    `fitting` is the share of their requests that carries the evidence, `plans` how many are on each plan, `gone` how
    many of the ticked have left the campaign since the page was shown, `claimed` the open cases of colleagues,
    and `put_off` those that are escalated, on hold or assigned.
    """

    rows: list[AffectedMember]
    left_out: list[MemberOfCampaign]
    plans: list[tuple[str, int]]
    events: int
    fitting: float
    gone: int
    claimed: list[Case]
    put_off: list[Case]

    @property
    def without_evidence(self) -> float:
        return 1 - self.fitting

    @property
    def licensed(self) -> list[AffectedMember]:
        return [row for row in self.rows if row.affected.training_permitted]

    @property
    def restricted(self) -> list[AffectedMember]:
        """Those on whom something is in force already, be it on their keys or their organisation."""
        return [row for row in self.rows if row.member.kind]

    @property
    def keys(self) -> int:
        return sum(row.affected.keys for row in self.rows)

    @property
    def ticked_pks(self) -> str:
        return ",".join(str(row.member.account.pk) for row in self.rows)


def preview_decision(case: Case, verdict: Verdict, ticks: Ticks, *, by: User, now: datetime) -> CampaignDecisionPreview:
    """Return what the decision would do. Raises NoSuchScopeError where nobody would be covered,
    LeftOutWithoutReasonError.
    """
    assert case.campaign is not None  # noqa: S101 - a constraint says so
    of_others = cases_of_others(case, verdict, ticks, by=by, now=now)
    claimed = [one for one in of_others if one.claimant(at=now) not in {None, by.pk}]
    members = load_members(case.campaign, now=now)
    ticked = [member for member in members if member.account.pk in ticks.accounts]
    affected = {one.account.pk: one for one in affected_accounts([member.account for member in ticked], now=now)}
    return CampaignDecisionPreview(
        rows=[AffectedMember(member, affected[member.account.pk]) for member in ticked],
        left_out=[one for one in members if one.account.pk not in ticks.accounts and one.membership <= ticks.seen],
        plans=Counter(member.account.plan or "unknown" for member in ticked).most_common(),
        events=sum(member.events for member in ticked),
        fitting=campaign_share_of_members_traffic([(member.fits, member.events) for member in ticked]),
        gone=len(ticks.accounts) - len(ticked),
        claimed=claimed,
        put_off=[one for one in of_others if one not in claimed],
    )
