"""Which accounts the indicators of partners fit: stored by governance/sharing/matching.py, read by scoring."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from governance.detection.models import PartnerMatch


class Match(NamedTuple):
    """An indicator of this kind, by the partner of this name, fits the account."""

    account: int
    partner: str
    kind: str


def find_partner_matches(accounts: Collection[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    """Return the partners that name each of these accounts, and by what; those that nobody names are left out."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = PartnerMatch.objects.filter(account__in=accounts).order_by("partner", "kind")
    for account, partner, kind in rows.values_list("account", "partner", "kind"):
        found[account].append((partner, kind))
    return {account: tuple(named) for account, named in found.items()}


def replace_partner_matches(matches: Collection[Match], *, now: datetime) -> set[int]:
    """Store these matches and delete all others, in the caller's transaction. Return the accounts that this changes."""
    columns = [*map(list, zip(*matches, strict=True))] or [[], [], []]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_OTHERS, columns)
        changed = {account for (account,) in cursor.fetchall()}
        cursor.execute(_ADD_NEW, [now, *columns])
        return changed | {account for (account,) in cursor.fetchall()}


_DELETE_OTHERS = """
DELETE FROM detection_partnermatch AS one WHERE NOT EXISTS (
    SELECT FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS kept (account, partner, kind)
    WHERE kept.account = one.account_id AND kept.partner = one.partner AND kept.kind = one.kind
) RETURNING account_id
"""
_ADD_NEW = """
INSERT INTO detection_partnermatch (since, account_id, partner, kind)
SELECT %s, new.account, new.partner, new.kind
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (account, partner, kind)
ON CONFLICT (account_id, partner, kind) DO NOTHING RETURNING account_id
"""
