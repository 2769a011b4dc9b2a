"""What accounts have in common, for the drawing of their ties."""

from typing import Final

from django.db import connection

from governance.campaigns.traits import TraitKind
from governance.review.campaigns.graph import SharedTrait
from governance.usage.profiles.content import STEADY_USES

TRAITS_READ: Final = 200
TRAIT_NAMES: Final = {
    TraitKind.OPENING: "words",
    TraitKind.CLOSING: "words",
    TraitKind.ADDRESS: "address",
    TraitKind.CARD: "card",
}
_SHARED: Final = """
SELECT kind, array_agg(account_id) FROM campaigns_accounttrait
WHERE account_id = ANY(%s) AND (uses >= %s OR kind = ANY(%s))
GROUP BY kind, digest HAVING count(*) > 1 ORDER BY count(*) DESC, kind, digest LIMIT %s
"""


def find_shared_traits(names: dict[int, str]) -> list[SharedTrait]:
    """Return what two of these accounts or more have. Words count from a steady use on, as in the search."""
    always = [TraitKind.ADDRESS.value, TraitKind.CARD.value]
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, [[*names], STEADY_USES, always, TRAITS_READ])
        rows: list[tuple[int, list[int]]] = cursor.fetchall()
    return [SharedTrait(TRAIT_NAMES[TraitKind(kind)], frozenset(names[pk] for pk in pks)) for kind, pks in rows]
