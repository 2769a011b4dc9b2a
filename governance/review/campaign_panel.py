"""The campaign of the account of a case, for its page."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection

from accounts.models import Account
from governance.review.models import Case
from governance.review.wording import outcome_word

MEMBERS_SHOWN: Final = 12

TIES: Final = {
    "wrappers": "prompts open or close in the same words",
    "hours": "active in the same ten minutes",
    "addresses": "same IP addresses",
    "card": "same payment card",
}
# A weaker tie is not named.
NAMED_FROM: Final = 0.15


class MemberRow(NamedTuple):
    """Another member, or one that is left out; `case` is its newest case, if it ever had one, and
    `status` says that it is open, or the action that was decided.
    """

    external_id: str
    organisation: str
    ties: list[str]
    left_out_because: str
    case: uuid.UUID | None
    score: int | None
    band: str
    status: str

    @property
    def state(self) -> str:
        """What has become of the case, in a word: open, or what was decided."""
        return self.status if self.status in Case.Status.values else outcome_word(self.status)


class CampaignPanel(NamedTuple):
    """`ties` are those of the case's own account; `findings` what ties its members and what they ask for. `newest` is
    the newest membership, and `left_out_before` how many other members the last decision about them left out.
    """

    pk: uuid.UUID
    size: int
    score: int
    opened_at: datetime | None
    joined_at: datetime
    tied_to: int
    newest: int
    left_out_before: int
    ties: list[str]
    findings: Sequence[Mapping[str, object]]
    members: list[MemberRow]
    left_out: list[MemberRow]

    @property
    def is_tied_through_others(self) -> bool:
        """Whether there are members that this account has nothing in common with."""
        return 0 < self.tied_to < self.size - 1

    @property
    def decided(self) -> int:
        """How many accounts a decision about the campaign would cover."""
        return self.size - self.left_out_before

    @property
    def more(self) -> int:
        """Members that are not shown, this account left aside."""
        return self.size - 1 - len(self.members)


def get_campaign_panel(campaign: uuid.UUID, account: Account) -> CampaignPanel | None:
    """Return the campaign as the account belongs to it; None where it has left. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_PANEL, {"campaign": campaign, "account": account.pk, "most": MEMBERS_SHOWN})
        rows = cursor.fetchall()
    own = next((one for is_own, *one in rows if is_own), None)
    if own is None:
        return None
    others = [
        MemberRow(external_id, organisation, _tie_names(json.loads(ties)), *rest)
        for is_own, external_id, organisation, ties, *rest in (row[:9] for row in rows)
        if not is_own
    ]
    size, score, opened_at, findings, joined_at, tied_to, newest, left_out_before = own[8:]
    return CampaignPanel(
        pk=campaign,
        size=size,
        score=score,
        opened_at=opened_at,
        joined_at=joined_at,
        tied_to=tied_to,
        newest=newest,
        left_out_before=left_out_before,
        ties=_tie_names(json.loads(own[2])),
        findings=json.loads(findings),
        members=[other for other in others if not other.left_out_because],
        left_out=[other for other in others if other.left_out_because],
    )


def _tie_names(ties: Mapping[str, float]) -> list[str]:
    strongest_first = sorted(ties.items(), key=lambda tie: (-tie[1], tie[0]))
    return [TIES[name] for name, strength in strongest_first if name in TIES and strength >= NAMED_FROM]


# The account's own membership with what is known of the campaign, and the strongest other members, and accounts that
# are left out.
_PANEL: Final = """
SELECT one.is_own, account.external_id, coalesce(organisation.name, ''), one.ties::text, one.left_out_because,
       newest.id, newest.score, coalesce(newest.band, ''), coalesce(newest.status, ''),
       campaign.size, campaign.score, campaign.opened_at, campaign.findings::text, one.joined_at, one.tied_to,
       one.newest, CASE WHEN one.is_own THEN (
           -- as why_left_out finds them
           SELECT count(*) FROM campaigns_campaignmember AS other, LATERAL (
               SELECT decision.number, said.left_out_because <> '' AS let_be FROM review_decisiontarget AS said
               JOIN review_decision AS decision ON decision.id = said.decision_id AND decision.undone_at IS NULL
               WHERE said.account_id = other.account_id
               UNION ALL
               SELECT decision.number, decision.action = 'dismiss' FROM review_case AS own
               JOIN review_decision AS decision ON decision.case_id = own.id AND decision.undone_at IS NULL
               WHERE own.account_id = other.account_id AND decision.scope = 'account'
               ORDER BY number DESC LIMIT 1
           ) AS last
           WHERE other.campaign_id = %(campaign)s AND other.left_at IS NULL AND other.left_out_because = ''
             AND other.account_id <> %(account)s AND last.let_be
       ) END
FROM (
    SELECT *, max(id) OVER () AS newest, account_id = %(account)s AS is_own, row_number() OVER (
        PARTITION BY account_id = %(account)s, left_out_because = '' ORDER BY strength DESC, account_id
    ) AS row
    FROM campaigns_campaignmember WHERE campaign_id = %(campaign)s AND left_at IS NULL
) AS one JOIN accounts_account AS account ON account.id = one.account_id
LEFT JOIN campaigns_campaign AS campaign ON one.is_own AND campaign.id = one.campaign_id
LEFT JOIN accounts_organisation AS organisation ON organisation.id = account.organisation_id
LEFT JOIN LATERAL (
    SELECT known.id, score, band, CASE WHEN status = 'open' THEN status ELSE coalesce(
        (SELECT action FROM review_decision WHERE case_id = known.id AND undone_at IS NULL),
        (SELECT action FROM review_decision AS other WHERE other.id = known.resolved_by_id),
        status
    ) END AS status
    FROM review_case AS known WHERE account_id = account.id ORDER BY opened_at DESC LIMIT 1
) AS newest ON NOT one.is_own
WHERE one.row <= %(most)s ORDER BY one.row
"""
