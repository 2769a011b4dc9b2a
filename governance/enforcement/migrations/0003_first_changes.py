from django.db import migrations

# Restrictions that stood before there was a feed: each began in the order of its number, and the ends follow.
BEGAN = """
    INSERT INTO enforcement_change (number, restriction_id, what, at, told)
    SELECT number, number, 'began', starts_at, jsonb_build_object(
        'number', number, 'kind', kind, 'reason', reason,
        'from', to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00'),
        'until', to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00'),
        'requests_per_minute', requests_per_minute, 'tokens_per_minute', tokens_per_minute, 'withheld', '[]'::jsonb,
        'names', jsonb_build_object(
            'organisation', '[]'::jsonb,
            'account', (SELECT coalesce(jsonb_agg(external_id), '[]') FROM accounts_account a WHERE a.id = r.account_id),
            'key', (SELECT coalesce(jsonb_agg(external_id), '[]') FROM accounts_apikey k
                    WHERE k.account_id = r.account_id OR k.id = r.key_id),
            'digest', (SELECT coalesce(jsonb_agg(encode(digest, 'hex')), '[]') FROM accounts_apikey k
                       WHERE digest IS NOT NULL AND (k.account_id = r.account_id OR k.id = r.key_id))))
    FROM enforcement_restriction r
"""
ENDED = """
    INSERT INTO enforcement_change (number, restriction_id, what, at)
    SELECT (SELECT max(number) FROM enforcement_restriction) + row_number() OVER (ORDER BY ended_at, number),
        number, 'ended', ended_at
    FROM enforcement_restriction WHERE ended_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("enforcement", "0002_enforcement")]

    operations = [
        migrations.RunSQL(BEGAN, migrations.RunSQL.noop),
        migrations.RunSQL(ENDED, migrations.RunSQL.noop),
    ]
