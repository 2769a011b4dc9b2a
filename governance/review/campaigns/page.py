"""The data of the page of a campaign, one query object for the whole page."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Case as Choice
from django.db.models import OuterRef, QuerySet, Value, When
from django.utils.functional import cached_property

from governance.campaigns.models import Campaign, CampaignMember
from governance.privacy.models import hold_reasons
from governance.restrictions.models import Restriction
from governance.review.campaigns.graph import TieGraph, draw_ties
from governance.review.campaigns.harm import DayOfMembers, Harm, measure_harm
from governance.review.campaigns.members import (
    MEMBERS_LISTED,
    MOST_LISTED,
    MemberFilter,
    MemberOfCampaign,
    list_members,
    load_members,
    mark_members,
)
from governance.review.campaigns.shared_traits import find_shared_traits
from governance.review.case_findings import FindingRow, finding_rows
from governance.review.models import Case, Decision, DecisionTarget, Dismissal, Step
from governance.review.progress import BatchProgress, progress_of
from governance.review.undo import can_be_undone
from governance.staff.models import User
from governance.usage.queries import get_daily_usage

STEPS_SHOWN: Final = 40
DECISIONS_SHOWN: Final = 8
MERGEABLE_SHOWN: Final = 200


def cases_of_campaign(campaign: uuid.UUID) -> QuerySet[Case]:
    """The cases of a campaign, the open one first, then the newest."""
    decided_with = ("resolved_by__decided_by", "resolved_by__case__account", "resolved_by__case__campaign")
    in_full = Case.objects.select_related("campaign", "assessment", "claimed_by", *decided_with)
    in_full = in_full.annotate(hold_reasons=hold_reasons(campaign=OuterRef("campaign")))
    return in_full.filter(campaign=campaign).order_by("-opened_at", "-pk")


class _Target(NamedTuple):
    """What a decision said of an account."""

    decision: uuid.UUID
    undone_at: datetime | None
    account: int
    external_id: str
    left_out_because: str
    number: int
    campaign: uuid.UUID | None


class CampaignDetail:
    """A campaign, and one of its cases if it ever had one; each part is asked for when the page first needs it.

    `chosen` are the accounts that somebody has ticked already, and `others` says whether those not listed are ticked.
    """

    def __init__(
        self,
        campaign: Campaign,
        case: Case | None,
        *,
        now: datetime,
        member_filter: MemberFilter | None = None,
        chosen: Collection[int] | None = None,
        others: bool | None = None,
    ) -> None:
        self.campaign = campaign
        self.case = case
        self.now = now
        self.member_filter = member_filter or MemberFilter()
        self.chosen = chosen
        self.others = others

    @property
    def claimant(self) -> User | None:
        return self.case.claimed_by if self.case is not None and self.case.claimant(at=self.now) else None

    @property
    def hold_reasons(self) -> list[str]:
        """Of the legal holds on it, as they were read with its case, or with itself if it never had one."""
        reasons: list[str] = getattr(self.case or self.campaign, "hold_reasons", [])
        return reasons

    @property
    def overdue(self) -> bool:
        return self.case is not None and self.case.is_open and self.case.due_at <= self.now

    @cached_property
    def findings(self) -> list[FindingRow]:
        return finding_rows(self.campaign.findings)

    @cached_property
    def members(self) -> list[MemberOfCampaign]:
        """All current members."""
        members = load_members(self.campaign, now=self.now)
        mark_members(
            members,
            decided=self._decided_on,
            left_out=self._let_be,
            chosen=self.chosen,
            which=self.member_filter.ticked,
        )
        return members

    @cached_property
    def _fitting(self) -> list[MemberOfCampaign]:
        return list_members(self.members, self.member_filter)

    @cached_property
    def listed(self) -> list[MemberOfCampaign]:
        return self._fitting[: MOST_LISTED if self.member_filter.is_long else MEMBERS_LISTED]

    @property
    def unlisted(self) -> int:
        """How many members are not listed: by the filter, or because they are so many."""
        return len(self.members) - len(self.listed)

    @property
    def can_list_more(self) -> bool:
        return len(self.listed) < len(self._fitting) and not self.member_filter.is_long

    @cached_property
    def ticks_others(self) -> bool:
        """Whether the members that are not listed are ticked together: if nothing but their number hides them."""
        hidden = self._fitting[len(self.listed) :]
        if self.others:
            return True
        return len(self._fitting) == len(self.members) and bool(hidden) and all(one.is_ticked for one in hidden)

    @property
    def listed_pks(self) -> str:
        return ",".join(str(member.account.pk) for member in self.listed)

    @property
    def seen(self) -> int:
        """The newest membership: who joins later is not left out, but new."""
        return max((member.membership for member in self.members), default=0)

    @property
    def new_members(self) -> int:
        return sum(member.is_new for member in self.members)

    @property
    def ticked(self) -> int:
        return sum(member.is_ticked for member in self.listed) + (self.unlisted if self.ticks_others else 0)

    @property
    def events(self) -> int:
        return sum(member.events for member in self.members)

    @property
    def organisations(self) -> int:
        return len({member.account.organisation_id or f"none {member.account.pk}" for member in self.members})

    @cached_property
    def _targets(self) -> list[_Target]:
        """What decisions said of accounts of the campaign, in the order of decisions. Those about other campaigns say
        it of members who came from there, and those on members' own cases of these.
        """
        said = ("decision", "decision__undone_at", "account", "account__external_id", "left_out_because")
        columns = (*said, "decision__number", "decision__campaign")
        own = DecisionTarget.objects.filter(decision__campaign=self.campaign).order_by().values_list(*columns)
        current = CampaignMember.objects.current().filter(campaign=self.campaign).values("account")
        of_members = DecisionTarget.objects.filter(account__in=current).order_by().values_list(*columns)
        because = Choice(When(action=Dismissal.DISMISS, then=Value("Dismissed.")), default=Value(""))
        alone = Decision.objects.filter(case__account__in=current, scope=Decision.Scope.ACCOUNT).order_by()
        paths = ("pk", "undone_at", "case__account", "case__account__external_id", because, "number", "campaign")
        rows = [_Target(*row) for row in own.union(of_members, alone.values_list(*paths))]
        return sorted(rows, key=lambda one: (one.number, one.account))

    @property
    def _let_be(self) -> set[int]:
        """The accounts that the last decision about them left out or dismissed."""
        last = {one.account: one.left_out_because for one in self._targets if one.undone_at is None}
        return {account for account, because in last.items() if because}

    @property
    def _decided_on(self) -> set[int]:
        """The accounts of which a decision about this campaign that stands says something."""
        standing = (one for one in self._targets if one.undone_at is None)
        return {one.account for one in standing if one.campaign == self.campaign.pk}

    @cached_property
    def harm(self) -> Harm | None:
        days = get_daily_usage([member.account.pk for member in self.members])
        return measure_harm([DayOfMembers(*day) for day in days])

    @cached_property
    def ties(self) -> TieGraph | None:
        names = {member.account.pk: member.account.external_id for member in self.members}
        return draw_ties(find_shared_traits(names), list(names.values()))

    @cached_property
    def decisions(self) -> list[Decision]:
        """The newest about the campaign; one about the case of a member covers it too."""
        about = Decision.objects.filter(campaign=self.campaign).select_related(
            "case__account", "case__campaign", "decided_by", "undone_by", "assessment", "restriction"
        )
        return list(about.order_by("-number")[:DECISIONS_SHOWN])

    @property
    def _own_decisions(self) -> list[Decision]:
        """Those on this case, the newest first."""
        return [one for one in self.decisions if self.case is not None and one.case_id == self.case.pk]

    @cached_property
    def decision(self) -> Decision | None:
        """The one that closed the case; None while it is open."""
        if self.case is None or self.case.is_open:
            return None
        own = self._own_decisions
        not_undone = next((decision for decision in own if decision.undone_at is None), None)
        return not_undone or self.case.resolved_by or next(iter(own), None)

    @property
    def enforced(self) -> Decision | None:
        """The decision whose restrictions are, or lately were, at the gateways: of an open case one that was undone."""
        return self.decision or next((one for one in self._own_decisions if one.restriction is not None), None)

    @property
    def earlier_decisions(self) -> list[Decision]:
        return [decision for decision in self.decisions if decision != self.decision]

    def _said_by(self, decision: Decision | None) -> list[_Target]:
        return [one for one in self._targets if decision is not None and one.decision == decision.pk]

    @property
    def covered(self) -> int:
        return sum(not one.left_out_because for one in self._said_by(self.decision))

    @property
    def left_out(self) -> list[_Target]:
        return [one for one in self._said_by(self.decision) if one.left_out_because]

    @cached_property
    def in_force(self) -> int:
        """How many restrictions of the decision are in force."""
        if self.decision is None:
            return 0
        return Restriction.objects.filter(origin=self.decision.origin, ended_at=None).count()

    @property
    def _last_decision(self) -> Decision | None:
        """The one that closed the case, or of an open case the last one."""
        return self.decision or next(iter(self._own_decisions), None)

    @property
    def is_in_progress(self) -> bool:
        """Whether a decision is still being put into force, or undone."""
        return self._last_decision is not None and self._last_decision.is_unfinished

    @cached_property
    def progress(self) -> BatchProgress | None:
        """How far that is; None once it is done for all accounts. It takes several queries."""
        return progress_of(self._last_decision) if self._last_decision is not None else None

    @property
    def is_undoable(self) -> bool:
        """Whether the decision on this case can still be undone: soon, and before another about the same accounts."""
        decision = self.decision
        if decision is None or self.case is None or decision.case_id != self.case.pk:
            return False
        own = {one.account for one in self._said_by(decision) if not one.left_out_because}
        later = [one for one in self.decisions if one.number > decision.number and one.undone_at is None]
        shared = (one.account in own for other in later for one in self._said_by(other) if not one.left_out_because)
        return can_be_undone(decision, now=self.now) and not any(shared)

    @property
    def is_regroupable(self) -> bool:
        return self.campaign.state != Campaign.State.CLOSED

    @cached_property
    def steps(self) -> list[Step]:
        return list(self.case.steps.all()[:STEPS_SHOWN]) if self.case is not None else []


def campaign_context(detail: CampaignDetail) -> dict[str, Any]:
    return {"campaign": detail.campaign, "case": detail.case, "detail": detail, "now": detail.now}


def find_case(campaign: uuid.UUID, wanted: uuid.UUID | None) -> Case | None:
    """Return this case of the campaign, or else the newest."""
    cases = cases_of_campaign(campaign)
    return (cases.filter(pk=wanted).first() if wanted is not None else None) or cases.first()


def mergeable_campaigns(campaign: Campaign) -> list[Campaign]:
    """Return other campaigns that could be merged into this one, those with the highest score first."""
    others = Campaign.objects.alive().exclude(pk=campaign.pk)
    return list(others.order_by("-score", "-size", "pk")[:MERGEABLE_SHOWN])
