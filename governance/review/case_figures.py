"""Keep the figures of open cases that change without their account being scored: the queue filters by them.

Members of a campaign come and go, and what a campaign has harvested grows with each of its members. The output tokens
of an account come with its assessment: see case_opening.py.
"""

from typing import Final

from django.db import connection

from governance.platform.transactions import retried_transaction
from governance.review.models import Case

# Cases of members, cases of accounts that are members no longer, and cases of campaigns; each by its index. Few rows
# differ, and only those are returned.
_OUTDATED: Final = """
SELECT found.id, found.size, found.output_tokens FROM (
    SELECT own.id, campaign.size, own.output_tokens
    FROM campaigns_campaign AS campaign
    JOIN campaigns_campaignmember AS member ON member.campaign_id = campaign.id
    JOIN review_case AS own ON own.account_id = member.account_id
    WHERE campaign.state = 'open' AND member.left_at IS NULL AND member.left_out_because = '' AND own.status = 'open'
    UNION ALL
    SELECT own.id, 0, own.output_tokens
    FROM review_case AS own
    WHERE own.status = 'open' AND own.campaign_size > 0 AND own.account_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM campaigns_campaignmember AS member JOIN campaigns_campaign AS campaign
            ON campaign.id = member.campaign_id
        WHERE member.account_id = own.account_id AND member.left_at IS NULL AND member.left_out_because = ''
          AND campaign.state = 'open'
    )
    UNION ALL
    SELECT own.id, campaign.size, coalesce(harm.output_tokens, 0)
    FROM review_case AS own JOIN campaigns_campaign AS campaign ON campaign.id = own.campaign_id, LATERAL (
        SELECT sum(newest.output_tokens)::bigint AS output_tokens
        FROM campaigns_campaignmember AS member, LATERAL (
            SELECT output_tokens FROM detection_assessment WHERE account_id = member.account_id
            ORDER BY assessed_at DESC, id DESC LIMIT 1
        ) AS newest
        WHERE member.campaign_id = campaign.id AND member.left_at IS NULL AND member.left_out_because = ''
    ) AS harm
    WHERE own.status = 'open' AND own.campaign_id IS NOT NULL
) AS found JOIN review_case AS own USING (id)
WHERE (own.campaign_size, own.output_tokens) <> (found.size, found.output_tokens)
"""
_UPDATE: Final = """
UPDATE review_case AS own SET campaign_size = outdated.size, output_tokens = outdated.output_tokens
FROM unnest(%s::uuid[], %s::int[], %s::bigint[]) AS outdated (id, size, output_tokens) WHERE own.id = outdated.id
"""


@retried_transaction
def update_case_figures() -> int:
    """Store the size of their campaign and what it has harvested with open cases. Return how many cases changed."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTDATED)
        outdated = {pk for pk, *_ in cursor.fetchall()}
        if not outdated:
            return 0
        locked = Case.objects.select_for_update(of=("self",)).filter(pk__in=outdated, status=Case.Status.OPEN)
        pks = set(locked.order_by("pk").values_list("pk", flat=True))
        cursor.execute(_OUTDATED)  # what is joined may have changed while this waited
        rows = [row for row in cursor.fetchall() if row[0] in pks]
        cursor.execute(_UPDATE, [list(column) for column in zip(*rows, strict=True)] or [[], [], []])
        return len(rows)
