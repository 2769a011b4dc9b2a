"""The list of campaigns, a page at a time."""

from typing import Final, NamedTuple

from django.db.models import OuterRef, Prefetch, QuerySet

from governance.campaigns.models import Campaign
from governance.review.models import Case, Decision
from governance.web.cursors import Cursor, rows_after

PAGE: Final = 30
ORDER: Final = ("-score", "-size", "pk")


class CampaignRow(NamedTuple):
    """A campaign and its newest case, if it ever had one, with the decision that closed it."""

    campaign: Campaign
    case: Case | None
    decision: Decision | None


class CampaignListPage(NamedTuple):
    rows: list[CampaignRow]
    next_after: Cursor | None


def find_campaigns(*, state: str, after: Cursor | None) -> CampaignListPage:
    """Return campaigns in this state ("all" for any), those with the highest score first, the larger first."""
    found: QuerySet[Campaign] = Campaign.objects.order_by(*ORDER)
    if state != "all":
        found = found.filter(state=state)
    found = rows_after(found, after, ORDER)
    newest = Case.objects.filter(campaign=OuterRef("campaign")).order_by("-opened_at", "-pk").values("pk")[:1]
    decisions = Prefetch("decisions", Decision.objects.not_undone().select_related("decided_by"))
    cases = Case.objects.filter(pk__in=newest).select_related("claimed_by", "resolved_by__decided_by")
    in_full = found.prefetch_related(Prefetch("cases", cases.prefetch_related(decisions), to_attr="newest_cases"))
    page = list(in_full[: PAGE + 1])
    rows = [_row(campaign, next(iter(campaign.newest_cases), None)) for campaign in page[:PAGE]]
    return CampaignListPage(rows, Cursor.at(page[PAGE - 1], ORDER) if len(page) > PAGE else None)


def _row(campaign: Campaign, case: Case | None) -> CampaignRow:
    if case is None or case.is_open:
        return CampaignRow(campaign, case, None)
    return CampaignRow(campaign, case, next(iter(case.decisions.all()), None) or case.resolved_by)
