"""The data of the case page, one query object for the whole page."""

from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property

from accounts.models import ApiKey, Licence
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.finding import Family
from governance.detection.scoring import REVIEW_LINE
from governance.gateways.queries import enforcement_status
from governance.privacy.models import hold_reasons
from governance.restrictions.kinds import NOT_NOTICED
from governance.restrictions.models import Restriction
from governance.review.bulk.mentions import BulkMention, find_bulk_mentions, with_bulk
from governance.review.campaign_panel import CampaignPanel, get_campaign_panel
from governance.review.case_findings import FindingRow, finding_rows
from governance.review.case_restrictions import CaseRestrictions, get_case_restrictions
from governance.review.chart import HourlyUse, UsageChart, draw_chart
from governance.review.decision_wording import count_campaign_accounts
from governance.review.endings import EndingGroup, group_endings
from governance.review.enforcement_panel import EnforcementPanel, RestrictionEnforcement
from governance.review.forms import SeenMembersField
from governance.review.linked_accounts import LinkedAccounts, get_linked_accounts
from governance.review.models import SAID_BY, Case, Decision, DecisionTarget, Dismissal, Step
from governance.review.progress import BatchProgress, progress_of
from governance.review.undo import can_be_undone
from governance.staff.models import User
from governance.usage.queries import (
    MAX_EXCERPTS,
    ModelUsage,
    conflict_totals,
    excerpt_count,
    get_usage_by_hour_and_by_model,
)

STEPS_SHOWN = 40
DECISIONS_SHOWN = 8


class WindowUsage(NamedTuple):
    """The window of the assessment: drawn, and by model."""

    chart: UsageChart | None
    models: list[ModelUsage]


def cases_with_details(*, at: datetime) -> QuerySet[Case]:
    """Cases with the rows that each part of their page needs, how many excerpts are kept at this time, and the open
    campaign to which their account belongs.
    """
    keys = ApiKey.objects.filter(account=OuterRef("account")).values("external_id")[:6]
    decided_with = ("resolved_by__decided_by", "resolved_by__case__account", "resolved_by__case__campaign")
    in_full = Case.objects.select_related(
        "account__organisation", "assessment", "campaign", "claimed_by", "part_of", *SAID_BY, *decided_with
    )
    claimed = Q(account=OuterRef("account")) | Q(contested_by=OuterRef("account"))
    contested = ApiKey.objects.filter(claimed, contested_at__isnull=False).values("external_id")[:6]
    begun = Licence.objects.filter(account=OuterRef("account"), training_permitted=True, starts_at__lte=at)
    member_of = CampaignMember.objects.current().filter(
        account=OuterRef("account"), campaign__state=Campaign.State.OPEN
    )
    return in_full.annotate(
        campaign_now=Subquery(member_of.order_by("pk").values("campaign")[:1]),
        key_ids=ArraySubquery(keys),
        contested_keys=ArraySubquery(contested),
        conflicts=Subquery(conflict_totals(OuterRef("account"))),
        licence_ends=ArraySubquery(begun.values("ends_at")),
        excerpts_kept=Subquery(excerpt_count(OuterRef("account"), at=at)),
        hold_reasons=hold_reasons(accounts__account=OuterRef("account")),
    )


class LicenceEnd(NamedTuple):
    """When a licence that permits training ends; None where it does not."""

    ends_at: datetime | None


class EarlierDecision(NamedTuple):
    """Another decision about the account, and whether a restriction of it is in force on the account, if only again."""

    decision: Decision
    is_in_force: bool


class CaseDetail:
    """A case from `cases_with_details`; each part is asked for when the page first needs it, in one query."""

    def __init__(self, case: Case, *, now: datetime) -> None:
        self.case = case
        self.account = case.own_account
        self.now = now

    @property
    def claimant(self) -> User | None:
        return self.case.claimed_by if self.case.claimant(at=self.now) else None

    @property
    def overdue(self) -> bool:
        return self.case.is_open and self.case.due_at <= self.now

    @cached_property
    def findings(self) -> list[FindingRow]:
        return finding_rows(self.case.assessment.findings)

    @property
    def points_against(self) -> int:
        return sum(finding.points for finding in self.findings if finding.points > 0)

    @property
    def points_for(self) -> int:
        return -sum(finding.points for finding in self.findings if finding.points < 0)

    @property
    def review_line(self) -> int:
        return REVIEW_LINE

    @cached_property
    def usage(self) -> WindowUsage:
        window = {"start": self.case.assessment.window_start, "end": self.case.assessment.window_end}
        by_hour, by_model = get_usage_by_hour_and_by_model(self.account, **window)
        hours = [HourlyUse(hour, requests, output) for hour, requests, _, output in by_hour]
        return WindowUsage(draw_chart(hours), by_model)

    @cached_property
    def campaign(self) -> CampaignPanel | None:
        campaign = getattr(self.case, "campaign_now", None)
        return get_campaign_panel(campaign, self.account) if campaign is not None else None

    @property
    def members_seen(self) -> str:
        """Which members of the campaign the page shows, signed, for its form; empty without one."""
        return SeenMembersField.sign(self.campaign.pk, self.campaign.newest) if self.campaign else ""

    @cached_property
    def counts_other_members(self) -> bool:
        """Whether a finding speaks of another number of accounts than the campaign has now: it is of its own time."""
        size = self.campaign.size if self.campaign else 0
        counted = (one["evidence"].get("accounts", one["evidence"].get("members")) for one in self._of_campaign)
        return any(number is not None and number != size for number in counted)

    @property
    def _of_campaign(self) -> list[dict[str, Any]]:
        """The findings that speak of the account's campaign."""
        found = self.case.assessment.findings
        return [one for one in found if one["family"] == Family.TOGETHER or one["evidence"].get("campaign_wide")]

    @cached_property
    def linked(self) -> LinkedAccounts:
        return get_linked_accounts(self.account.pk)

    @property
    def excerpt_days(self) -> int:
        return int(settings.EXCERPT_DAYS)

    @property
    def excerpts(self) -> int:
        """How many may be shown; they are decrypted only for somebody who says why."""
        kept: int | None = getattr(self.case, "excerpts_kept", None)
        return min(MAX_EXCERPTS, kept or 0)

    @property
    def licences(self) -> list[LicenceEnd]:
        """Those in force that permit training; where none is, the one that ended last."""
        ends: list[datetime | None] = getattr(self.case, "licence_ends", None) or []
        in_force = [LicenceEnd(end) for end in ends if end is None or end > self.now]
        return in_force or [LicenceEnd(end) for end in sorted(end for end in ends if end is not None)[-1:]]

    @cached_property
    def _restrictions(self) -> CaseRestrictions:
        return get_case_restrictions(self.account, self.decision, self.decisions, now=self.now)

    @property
    def restrictions(self) -> list[Restriction]:
        """In force against the account and its keys, the strongest first."""
        return [one for one in self._restrictions.shown if one.ended_at is None]

    @cached_property
    def enforcement(self) -> EnforcementPanel:
        """What is known at the gateways of what refuses or limits the account, and of what was lifted within a day."""
        acts = [one for one in self._restrictions.shown if one.kind not in NOT_NOTICED]
        at = enforcement_status([one.number for one in acts], now=self.now, account=self.account.pk)
        in_force_first = sorted(acts, key=lambda one: one.ended_at is not None)
        return EnforcementPanel([RestrictionEnforcement(one, at[one.number]) for one in in_force_first], self.now)

    @property
    def other_restrictions(self) -> list[Restriction]:
        """Those in force that do not come from this case."""
        own = self.decision.origin if self.decision else None
        return [restriction for restriction in self.restrictions if restriction.origin != own]

    @cached_property
    def decisions(self) -> list[Decision]:
        """The newest about the account up to this case's own, if it is decided; later ones belong to later cases."""
        about = Decision.objects.filter(case__account=self.account)
        if not self.case.is_open:
            closing = Decision.objects.filter(Q(case=self.case) | Q(pk=self.case.resolved_by_id)).order_by("-number")
            about = about.filter(number__lte=closing.values("number")[:1])
        later = Decision.objects.not_undone().filter(case__account=self.account, number__gt=OuterRef("number"))
        in_full = about.select_related("decided_by", "undone_by", "assessment", "restriction")
        # Not by a join: to plan the grouping by all columns of all these tables took 25 ms.
        targets = DecisionTarget.objects.covered().filter(decision=OuterRef("pk")).order_by().values("decision")
        covered = Coalesce(Subquery(targets.annotate(number=Count("pk")).values("number")), 0)
        found = with_bulk(in_full.annotate(is_followed=Exists(later), covered=covered))
        return list(found[:DECISIONS_SHOWN])

    @cached_property
    def decision(self) -> Decision | None:
        """The one that closed the case, be it about another case that covered this one; None while it is open."""
        if self.case.is_open:
            return None
        own = [decision for decision in self.decisions if decision.case_id == self.case.pk]
        not_undone = next((decision for decision in own if decision.undone_at is None), None)
        return not_undone or self.case.resolved_by or next(iter(own), None)

    @property
    def _last_decision(self) -> Decision | None:
        """The one that closed the case, or of an open case the last one that was undone."""
        undone = (one for one in self.decisions if one.case_id == self.case.pk and one.undone_at)
        return self.decision or next(undone, None)

    @property
    def is_in_progress(self) -> bool:
        """Whether a decision about many is still being put into force, or undone, as far as the page knows."""
        last = self._last_decision
        return last is not None and last.is_unfinished and not getattr(last, "is_followed", False)

    @cached_property
    def progress(self) -> BatchProgress | None:
        """How far that is; None once it is done for all of them. It takes several queries."""
        return progress_of(self._last_decision) if self._last_decision is not None else None

    @cached_property
    def campaign_accounts(self) -> int:
        """How many accounts of a campaign the decision is about."""
        if self.decision is None:
            return 0
        counted: int | None = getattr(self.decision, "covered", None)  # not of a decision about another case
        return count_campaign_accounts(self.decision) if counted is None else counted

    @cached_property
    def decided_restriction(self) -> Restriction | None:
        """What the decision put into force on the account: as it is in force now, or as it ended."""
        if self.decision is None or self.decision.action == Dismissal.DISMISS:
            return None
        live = (one for one in self.restrictions if one.origin == self.decision.origin)
        return next(live, None) or next(iter(self._restrictions.made), None)

    @cached_property
    def is_undoable(self) -> bool:
        """Whether the decision can still be undone from here: on its own case, soon, and before another one."""
        decision = self.decision
        if decision is None or decision.case_id != self.case.pk or not can_be_undone(decision, now=self.now):
            return False
        return not any(one.pk == decision.pk and getattr(one, "is_followed", False) for one in self.decisions)

    @property
    def ends_by_deciding(self) -> list[EndingGroup]:
        """What another decision will lift."""
        return group_endings(sorted(self._restrictions.replaced, key=attrgetter("number")))

    @cached_property
    def denied_by(self) -> list[Restriction]:
        """What refuses the account beside the decision on the case, or will after it: such as its organisation's block.

        None where the decision itself refuses the account.
        """
        if (made := self.decided_restriction) is not None and made.ended_at is None and made.denies:
            return []
        lifted = {one.number for one in self._restrictions.replaced}
        return [one for one in self.other_restrictions if one.denies and not one.key_id and one.number not in lifted]

    @cached_property
    def ended_by_decision(self) -> list[EndingGroup]:
        """What the decision of this case took the place of."""
        if self.decision is None or self.decision.case_id != self.case.pk or self.decision.undone_at is not None:
            return []
        return group_endings(sorted(self._restrictions.replaced, key=attrgetter("number")))

    @property
    def earlier_decisions(self) -> list[EarlierDecision]:
        live = {one.origin for one in self.restrictions}
        earlier = [decision for decision in self.decisions if decision != self.decision]
        return [EarlierDecision(one, is_in_force=one.origin in live) for one in earlier]

    @cached_property
    def bulk_by_step(self) -> dict[int, BulkMention]:
        return find_bulk_mentions([one for one in self.decisions if one.case_id == self.case.pk], self.steps)

    @cached_property
    def steps(self) -> list[Step]:
        return list(self.case.steps.all()[:STEPS_SHOWN])
