"""Decisions about a campaign made before this release: which campaign, and which accounts belonged to it then."""

from django.db import migrations

ADD_CAMPAIGNS = """
UPDATE review_decision AS decision SET campaign_id = made.campaign_id
FROM restrictions_restriction AS made
WHERE made.number = decision.restriction_id AND decision.scope = 'campaign' AND decision.campaign_id IS NULL
"""
ADD_TARGETS = """
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
"""


class Migration(migrations.Migration):
    dependencies = [("review", "0002_campaign_cases")]

    operations = [
        migrations.RunSQL(ADD_CAMPAIGNS, migrations.RunSQL.noop),
        migrations.RunSQL(ADD_TARGETS, migrations.RunSQL.noop),
    ]
