"""Find what the typed text may mean, one kind of thing at a time: each in one query that an index answers.

Every finder takes up to `most` in a fixed order, those after `after`, which is the last of the page before.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv6Network
from typing import Any, Final, NamedTuple

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Lower

from accounts.models import Account, ApiKey, Organisation, folded, words_of
from accounts.normalization import CUSTOMER_PREFIX
from governance.campaigns.models import Campaign
from governance.campaigns.traits import TraitKind
from governance.investigation.typed_text import Network, TypedText
from governance.restrictions.models import Restriction
from governance.review.models import Case
from governance.usage.profiles.build import address_digest
from governance.web.cursors import later

# Addresses in use are kept as digests, so those of a network are looked up one by one: of no larger one than this.
ADDRESSES_LOOKED_UP: Final = 1024
# A broader network, IPv4 or IPv6, is no help to anybody.
BROADEST: Final = {4: 16, 6: 32}


class ResultKind(StrEnum):
    """What may be found. The order is that on the page."""

    RECORDS = "records"
    ACCOUNTS = "accounts"
    KEYS = "keys"
    ORGANISATIONS = "organisations"
    DOMAIN = "domain"
    CARD = "card"
    ADDRESS = "address"


class Found(NamedTuple):
    """A thing that was found: its primary key, for an address how the account is known to have it, and where it is
    among those of its kind.
    """

    pk: Any
    note: str = ""
    folded: str = ""


class Place(NamedTuple):
    """The last thing of the page before: `folded` is its id as the database orders it, where that is the order."""

    folded: str = ""
    pk: int = 0


START: Final = Place()
Finder = Callable[[TypedText, Place, int], list[Found]]


def find_accounts(typed: TypedText, after: Place, most: int) -> list[Found]:
    """Accounts whose id begins with the text, in either case."""
    return _beginning(Account.objects.all(), typed, after, most)


def find_keys(typed: TypedText, after: Place, most: int) -> list[Found]:
    """The key with this digest; or keys whose id begins with the text."""
    if typed.digest is not None:
        found = ApiKey.objects.filter(Q(digest=typed.digest) | Q(external_id=typed.text)).order_by("pk")
        return [Found(pk) for pk in found.values_list("pk", flat=True)[:most]]
    return _beginning(ApiKey.objects.all(), typed, after, most)


def find_organisations(typed: TypedText, after: Place, most: int) -> list[Found]:
    """Organisations whose id begins with the text, or whose name has words that begin so."""
    found = _in_order(Organisation.objects.filter(), after).filter(folded__startswith=_lower(typed.text))[:most]
    if typed.words:
        words = SearchQuery(" & ".join(f"{word}:*" for word in typed.words), search_type="raw", config="simple")
        named = Organisation.objects.alias(name_words=words_of("name")).filter(name_words=words)
        # Two queries made one: of a condition with "or" the database would make a walk over all of them.
        found = found.union(_in_order(named, after)[:most])
    ordered = sorted(found.values_list("folded", "pk"))
    return [Found(pk, folded=name) for name, pk in ordered[:most]]


def find_on_domain(typed: TypedText, after: Place, most: int) -> list[Found]:
    return _with(Account.objects.filter(email_domain=typed.domain), after, most) if typed.domain else []


def find_on_card(typed: TypedText, after: Place, most: int) -> list[Found]:
    accounts = Account.objects.alias(card=folded("payment_fingerprint")).exclude(payment_fingerprint="")
    return _with(accounts.filter(card=_lower(typed.text)), after, most)


def find_at_address(typed: TypedText, after: Place, most: int) -> list[Found]:
    """Accounts that signed up from the network, or send requests from it."""
    if typed.network is None or is_too_broad(typed.network):
        return []
    arguments: dict[str, Any] = {
        "network": str(typed.network),
        "digests": list(_digests_in(typed.network)),
        "kind": TraitKind.ADDRESS.value,
        "after": after.pk,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AT_ADDRESS, arguments)
        return [Found(pk, _NOTES[signed_up, uses]) for pk, signed_up, uses in cursor.fetchall()]


_NOTES: Final = {
    (True, False): "signed up from there",
    (False, True): "sends requests from there",
    (True, True): "signed up and sends requests from there",
}

_AT_ADDRESS: Final = """
SELECT id, bool_or(signed_up), bool_or(NOT signed_up) FROM (
    (
        SELECT id, true AS signed_up FROM accounts_account
        WHERE signup_ip <<= %(network)s::cidr AND id > %(after)s ORDER BY id LIMIT %(most)s
    ) UNION ALL (
        SELECT DISTINCT account_id, false FROM campaigns_accounttrait
        WHERE kind = %(kind)s AND digest = ANY(%(digests)s) AND uses > 0 AND account_id > %(after)s
        ORDER BY account_id LIMIT %(most)s
    )
) AS at GROUP BY id ORDER BY id LIMIT %(most)s
"""


def find_records(typed: TypedText, _after: Place, _most: int) -> list[Found]:
    """The case, the decision or the campaign with this id, or the restriction with this number: one of them at most."""
    if typed.identifier is not None:
        case = Case.objects.filter(pk=typed.identifier)
        decided = Case.objects.filter(decisions=typed.identifier)
        campaign = Campaign.objects.filter(pk=typed.identifier)
        rows = _named(case, "case").union(_named(decided, "decision"), _named(campaign, "campaign"), all=True)
        return [Found(pk, kind) for pk, kind in rows]
    if typed.number is not None:
        return [
            Found(pk, "restriction") for pk in Restriction.objects.filter(pk=typed.number).values_list("pk", flat=True)
        ]
    return []


FINDERS: Final[Mapping[ResultKind, Finder]] = {
    ResultKind.RECORDS: find_records,
    ResultKind.ACCOUNTS: find_accounts,
    ResultKind.KEYS: find_keys,
    ResultKind.ORGANISATIONS: find_organisations,
    ResultKind.DOMAIN: find_on_domain,
    ResultKind.CARD: find_on_card,
    ResultKind.ADDRESS: find_at_address,
}


def is_too_broad(network: Network) -> bool:
    return network.prefixlen < BROADEST[network.version]


def can_search_usage(network: Network) -> bool:
    """Whether requests from the network are found, and not only sign-ups."""
    return not is_too_broad(network) and _customers_in(network) <= ADDRESSES_LOOKED_UP


def _customers_in(network: Network) -> int:
    """How many customers a network has room for: one at each IPv4 address, or in each /64 of IPv6."""
    if isinstance(network, IPv6Network):
        return 1 << max(0, CUSTOMER_PREFIX - network.prefixlen)
    return network.num_addresses


def _digests_in(network: Network) -> Iterator[int]:
    if can_search_usage(network):
        step = 1 << (128 - CUSTOMER_PREFIX) if isinstance(network, IPv6Network) else 1
        for place in range(_customers_in(network)):
            yield address_digest(str(network.network_address + place * step))


def _lower(text: str) -> Lower:
    """In lower case as the database writes it, whose locale may know other letters than Python."""
    return Lower(Value(text))


def _in_order(rows: QuerySet[Any], after: Place) -> QuerySet[Any]:
    """Those after a row, in the order of their ids in lower case."""
    ordered: QuerySet[Any] = (
        rows.annotate(folded=folded("external_id")).order_by("folded", "pk").values_list("folded", "pk")
    )
    if after == START:
        return ordered
    found: QuerySet[Any] = ordered.filter(later(("folded", "pk"), after))
    return found


def _beginning(rows: QuerySet[Any], typed: TypedText, after: Place, most: int) -> list[Found]:
    found = _in_order(rows, after).filter(folded__startswith=_lower(typed.text))
    return [Found(pk, folded=name) for name, pk in found[:most]]


def _with(accounts: QuerySet[Account], after: Place, most: int) -> list[Found]:
    found = accounts.filter(pk__gt=after.pk).order_by("pk")
    return [Found(pk) for pk in found.values_list("pk", flat=True)[:most]]


def _named(rows: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    named: QuerySet[Any, Any] = (
        rows.order_by().annotate(kind=Value(kind, output_field=CharField())).values_list("pk", "kind")
    )
    return named
