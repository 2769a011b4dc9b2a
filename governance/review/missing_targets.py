"""Decisions about a campaign that a process of the release before made while an upgrade was rolled out.

They say nothing of their campaign and of the accounts they cover. Whoever belonged to the campaign at the time is
covered: that is what the release before went by.
"""

from typing import Final

from django.db import connection, transaction

from governance.review.models import Decision

_ADD_CAMPAIGNS: Final = """
UPDATE review_decision AS decision SET campaign_id = made.campaign_id
FROM restrictions_restriction AS made
WHERE made.number = decision.restriction_id AND decision.scope = 'campaign' AND decision.campaign_id IS NULL
"""
_ADD_TARGETS: Final = """
INSERT INTO review_decisiontarget (decision_id, account_id, assessment_id, left_out_because)
SELECT DISTINCT decision.id, member.account_id, (
    SELECT seen.id FROM detection_assessment AS seen
    WHERE seen.account_id = member.account_id AND seen.assessed_at <= decision.decided_at
    ORDER BY seen.assessed_at DESC, seen.id DESC LIMIT 1
), ''
FROM review_decision AS decision
JOIN campaigns_campaignmember AS member ON member.campaign_id = decision.campaign_id
WHERE decision.scope = 'campaign' AND member.left_out_because = '' AND member.joined_at <= decision.decided_at
  AND (member.left_at IS NULL OR member.left_at > decision.decided_at)
  AND NOT EXISTS (SELECT FROM review_decisiontarget AS target WHERE target.decision_id = decision.id)
ON CONFLICT DO NOTHING
"""


def add_missing_targets() -> None:
    """Add what decisions of the release before lack. Idempotent; nothing is written where none does."""
    if not Decision.objects.filter(scope=Decision.Scope.CAMPAIGN, campaign=None).exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ADD_CAMPAIGNS)
        cursor.execute(_ADD_TARGETS)
