"""Whom a decision about many accounts would hit, before it is made."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Account
from governance.campaigns.models import CampaignMember
from governance.restrictions.queries import find_strongest_kinds
from governance.review.bulk.actions import get_newest_decision_number
from governance.review.bulk.open_campaign_cases import find_campaigns_with_open_case
from governance.review.campaigns.members import campaign_share_of_members_traffic, campaign_traffic_share
from governance.review.deciding import is_decided_by_leads
from governance.review.models import Case
from governance.staff.models import User


@dataclass(slots=True)
class BulkPreviewAccount:
    """A ticked account: its open case, the strongest restriction in force (`kind`), and why it would be skipped.

    `remarks` say what colleagues have asked of the case. `fits` is the share of its traffic that carries the evidence
    of the campaign it belongs to; None without one.
    """

    account: Account
    case: Case | None
    kind: str
    is_licensed: bool
    remarks: Sequence[str]
    is_held: bool
    fits: float | None
    skipped_because: str
    is_ticked: bool

    @property
    def events(self) -> int:
        score = getattr(self.account, "score", None)
        return score.assessment.events if score is not None else 0


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """The ticked accounts; `gone` is how many of them do not exist, `seen` the number of the newest decision at
    `seen_at`.
    """

    rows: Sequence[BulkPreviewAccount]
    claimed: int
    gone: int
    seen: int
    seen_at: datetime

    @property
    def ticked(self) -> list[BulkPreviewAccount]:
        return [row for row in self.rows if row.is_ticked]

    @property
    def licensed(self) -> list[BulkPreviewAccount]:
        return [row for row in self.rows if row.is_licensed]

    @property
    def restricted(self) -> int:
        return sum(1 for row in self.rows if row.kind)

    @property
    def held(self) -> int:
        return sum(1 for row in self.rows if row.is_held)

    @property
    def skipped(self) -> int:
        return sum(1 for row in self.rows if row.skipped_because)

    @property
    def without_case(self) -> int:
        return sum(1 for row in self.rows if row.case is None and not row.skipped_because)

    @property
    def in_campaign(self) -> int:
        return sum(1 for row in self.rows if row.fits is not None)

    @property
    def without_evidence(self) -> float:
        """The share of the traffic of those in a campaign."""
        return 1 - campaign_share_of_members_traffic(
            [(row.fits, row.events) for row in self.rows if row.fits is not None]
        )

    @property
    def plans(self) -> list[tuple[str, int]]:
        return Counter(row.account.plan or "unknown" for row in self.rows).most_common()

    @property
    def listed_pks(self) -> str:
        return ",".join(str(row.account.pk) for row in self.rows)


def preview_bulk_decision(
    accounts: Collection[int], *, ticked: Collection[int] | None, by: User, now: datetime
) -> BulkPreview:
    """Return whom a decision about these accounts, by primary key, would hit: those with the highest score first.

    `ticked` are those that are ticked still; None for all. Seven queries.
    """
    # Before the rest is read: what is decided after that is not seen.
    seen = get_newest_decision_number()
    found = list(
        Account.objects.select_related("organisation", "score__assessment")
        .defer("score__assessment__findings", "score__assessment__harmless")
        .filter(pk__in=accounts)
    )
    opened = Case.objects.filter(account__in=found, status=Case.Status.OPEN).select_related(
        "claimed_by", "assigned_to", "part_of"
    )
    cases = {case.account_id: case for case in opened}
    licensed = set(Account.objects.training_permitted(at=now).filter(pk__in=accounts).values_list("pk", flat=True))
    kinds = find_strongest_kinds(found, now=now)
    members = dict(CampaignMember.objects.current().filter(account__in=accounts).values_list("account", "ties"))
    of_campaigns = find_campaigns_with_open_case(accounts)
    rows, claimed = [], 0
    for account in found:
        case = cases.get(account.pk)
        claimant = case.claimed_by if case is not None and case.claimant(at=now) not in {None, by.pk} else None
        claimed += claimant is not None
        because = ""
        if account.pk in of_campaigns or (case is not None and case.is_part):
            because = "part of its campaign’s case"
        elif claimant is not None:
            because = f"claimed by {claimant.name}"
        elif case is not None and is_decided_by_leads(case, by=by):
            because = "the leads are asked"
        elif case is None and not hasattr(account, "score"):
            because = "never scored"
        rows.append(
            BulkPreviewAccount(
                account,
                case,
                kind=kinds.get(account.pk, ""),
                is_licensed=account.pk in licensed,
                remarks=_remarks(case, by=by, now=now) if case is not None else (),
                is_held=case is not None and case.is_held(at=now),
                fits=campaign_traffic_share(members[account.pk]) if account.pk in members else None,
                skipped_because=because,
                is_ticked=ticked is None or account.pk in ticked,
            )
        )
    rows.sort(key=lambda row: (-(row.account.score.score if hasattr(row.account, "score") else -1), row.account.pk))
    return BulkPreview(rows, claimed=claimed, gone=len(set(accounts)) - len(found), seen=seen, seen_at=now)


def _remarks(case: Case, *, by: User, now: datetime) -> list[str]:
    assigned = case.assigned_to if case.assigned_to_id not in {None, by.pk} else None
    every = (
        "on hold" if case.is_held(at=now) else "",
        "escalated to leads" if case.escalated_at is not None else "",
        f"assigned to {assigned.name}" if assigned is not None else "",
    )
    return [remark for remark in every if remark]
