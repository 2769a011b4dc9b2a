"""Read assessments for the pages of detection, and the due-date targets."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from governance.configuration import queries as configuration
from governance.detection.drift import AssessedAccount
from governance.detection.scoring import Band
from governance.detection.thresholds import DUE_AFTER

# Accounts with a score in so many days are today's customers.
RECENT: Final = timedelta(days=28)
# Of more accounts than this a sample is read: those with the smallest hashes of their ids.
SAMPLED: Final = 5_000

# The accounts are sampled before their assessments are read, so that it does not matter how many there are.
_LATEST: Final = """
SELECT latest.score, latest.texts, latest.content_log_odds, (
    SELECT coalesce(jsonb_object_agg(finding->>'detector', finding->>'family'), '{}')
    FROM jsonb_array_elements(latest.findings) AS finding
)
FROM (SELECT id FROM accounts_account ORDER BY hashint8(id), id LIMIT %(sampled)s) AS account, LATERAL (
    SELECT score, texts, content_log_odds, findings, confirmed_at FROM detection_assessment
    WHERE account_id = account.id ORDER BY assessed_at DESC, id DESC LIMIT 1
) AS latest
WHERE latest.confirmed_at > %(since)s
"""


def get_due_targets() -> Mapping[Band, timedelta]:
    """Return how soon a case of each band is due: as staff have set it, else as this release does. One query."""
    given = configuration.get_due_target_overrides()
    return {band: given.get(band, usual) for band, usual in DUE_AFTER.items()}


def load_assessed_accounts(*, now: datetime) -> list[AssessedAccount]:
    """Return the latest assessments of today's customers, of a sample where they are many. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, {"sampled": SAMPLED, "since": now - RECENT})
        return [AssessedAccount(score, texts, odds, _object(found)) for score, texts, odds, found in cursor.fetchall()]


def _object(found: object) -> dict[str, str]:
    parsed: dict[str, str] = json.loads(found) if isinstance(found, str) else found  # type: ignore[assignment]
    return parsed
