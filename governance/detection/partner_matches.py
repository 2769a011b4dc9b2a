"""Which accounts the indicators of partners fit: stored by governance/sharing/matching.py, read by scoring."""

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final, NamedTuple

from governance.detection.models import PartnerMatch

_BATCH: Final = 1_000


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


def replace_partner_matches(matches: AbstractSet[Match], *, now: datetime) -> set[int]:
    """Store these matches and delete all others, in the caller's transaction. Return the accounts that this changes."""
    stored = {Match(*row): pk for pk, *row in PartnerMatch.objects.order_by().values_list("pk", *Match._fields)}
    gone = [pk for match, pk in stored.items() if match not in matches]
    new = matches - stored.keys()
    PartnerMatch.objects.filter(pk__in=gone).delete()
    PartnerMatch.objects.bulk_create(
        [PartnerMatch(account_id=match.account, partner=match.partner, kind=match.kind, since=now) for match in new],
        batch_size=_BATCH,
    )
    return {match.account for match in (stored.keys() - matches) | new}
