"""Which details of the audit log hold what somebody typed, or a name. Pure.

Entries are never changed, so an erasure leaves them: all else in them is ids, codes, times and figures. Of a customer
they hold the seller's ids alone. What staff type can name a person: forms ask them not to.
"""

from typing import Final

# Typed by staff, or by who proposed a policy or added a corpus.
TYPED: Final = frozenset(
    {"note", "reason", "because", "answer", "why", "left_out_because", "early_because", "query", "filter"}
)
# By verb and field: a code, or the id of a customer, under a name that elsewhere means a text or a member of staff.
CODES_AND_IDS: Final = frozenset(
    {
        ("account.moved", "to"),
        ("bulk.decided", "reason"),
        ("case.decided", "reason"),
        ("gateway.repaired", "name"),
        ("key.digest_moved", "to"),
        ("log.began", "name"),
        ("key.moved", "to"),
        ("person.erased", "because"),
        ("restriction.created", "reason"),
    }
)
# Members of staff, and what they called something of their own.
NAMES_OF_STAFF: Final = frozenset({"email", "to", "approver", "name"})
# Networks from which somebody tried to sign in.
NETWORKS: Final = frozenset({"network", "networks"})
# Ids of customers and things, codes, times, figures, and files that staff put in force.
OTHERS: Final = """
    accepted account accounts action added address after allowed_from assessment attempts before blocked campaign
    case checkpoint common content contested contested_by continues created days decision deliveries duplicate ended
    ends_at entries erasure error evaluation events excerpts expires_at factor format from further_networks gateway
    headers hold host hour into kept_out key keys kind left_out left_to_others mended number objects other outcome
    partner receives reference rejected requests_per_minute restored restriction retracted role root runs scope
    scopes score scorings sends sessions sha256 shadow_minutes shared starts_after starts_at superseded terms_clause
    texts tlp tokens_per_minute training_permitted trouble unchanged unique_key until updated version what withheld
    withheld_fields
"""


def is_typed(verb: str, field: str) -> bool:
    """Return True if somebody typed what entries of the verb hold in this field."""
    return field in TYPED and (verb, field) not in CODES_AND_IDS


def names_staff(verb: str, field: str) -> bool:
    return field in NAMES_OF_STAFF and (verb, field) not in CODES_AND_IDS


def is_known(field: str) -> bool:
    """Whether this file says what such a field holds."""
    return field in TYPED | NAMES_OF_STAFF | NETWORKS or field in OTHERS.split()
