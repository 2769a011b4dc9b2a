"""The list of campaigns, a page at a time."""

import uuid
from typing import Final, NamedTuple

from django.db.models import OuterRef, Prefetch, Q, QuerySet

from governance.campaigns.models import Campaign
from governance.review.models import Case, Decision
from governance.web.cursors import CursorNotFoundError

PAGE: Final = 30


class CampaignRow(NamedTuple):
    """A campaign and its newest case, if it ever had one, with the decision that closed it."""

    campaign: Campaign
    case: Case | None
    decision: Decision | None


class CampaignListPage(NamedTuple):
    rows: list[CampaignRow]
    next_after: uuid.UUID | None


def find_campaigns(*, state: str, after: uuid.UUID | None) -> CampaignListPage:
    """Return campaigns in this state ("all" for any), those with the highest score first, the larger first.

    Raises CursorNotFoundError where the campaign after which the page starts does not exist.
    """
    found: QuerySet[Campaign] = Campaign.objects.order_by("-score", "-size", "pk")
    if state != "all":
        found = found.filter(state=state)
    if after is not None:
        last = Campaign.objects.filter(pk=after).first()
        if last is None:
            raise CursorNotFoundError
        as_high = Q(score=last.score) & (Q(size__lt=last.size) | Q(size=last.size, pk__gt=last.pk))
        found = found.filter(Q(score__lte=last.score) & (Q(score__lt=last.score) | as_high))
    newest = Case.objects.filter(campaign=OuterRef("campaign")).order_by("-opened_at", "-pk").values("pk")[:1]
    decisions = Prefetch("decisions", Decision.objects.not_undone().select_related("decided_by"))
    cases = Case.objects.filter(pk__in=newest).select_related("claimed_by", "resolved_by__decided_by")
    in_full = found.prefetch_related(Prefetch("cases", cases.prefetch_related(decisions), to_attr="newest_cases"))
    page = list(in_full[: PAGE + 1])
    rows = [_row(campaign, next(iter(campaign.newest_cases), None)) for campaign in page[:PAGE]]
    return CampaignListPage(rows, page[PAGE - 1].pk if len(page) > PAGE else None)


def _row(campaign: Campaign, case: Case | None) -> CampaignRow:
    if case is None or case.is_open:
        return CampaignRow(campaign, case, None)
    return CampaignRow(campaign, case, next(iter(case.decisions.all()), None) or case.resolved_by)
