"""What of a campaign could leave: cards, domains, addresses, networks and wordings of accounts that were refused.

Facts about harvesters only. A value leaves if nobody else is known by it: one that a single account outside of these
has too, such as the domain of a public mail service or the address of a university, stays.
"""

import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count

from accounts.models import Account
from governance.campaigns.models import AccountTrait, Campaign, CampaignMember
from governance.campaigns.traits import LEAST_USES, TraitKind
from governance.detection.indicator_kinds import IndicatorKind
from governance.restrictions.queries import find_denied_account_pks
from governance.sharing.patterns import network_of
from governance.usage.profiles.build import address_digest

# Of each kind those leave that are on most accounts.
MOST_VALUES: Final = 200
MOST_ACCOUNTS: Final = 5_000
# Of each account, the newest requests with an address.
EVENTS_READ: Final = 100
USED_WITHIN: Final = timedelta(days=28)
# A network is named from so many addresses in it on.
ADDRESSES_OF_A_NETWORK: Final = 3
# What half the world has says nothing of anybody, even where a single customer here has it.
PUBLIC_MAIL: Final = frozenset(
    [
        "126.com",
        "163.com",
        "aol.com",
        "foxmail.com",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "naver.com",
        "outlook.com",
        "pm.me",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "sina.com",
        "tutanota.com",
        "web.de",
        "yahoo.com",
        "yahoo.co.jp",
        "yandex.com",
        "yandex.ru",
        "ymail.com",
        "zoho.com",
    ]
)
# Inside of somebody's own walls an address is no name.
_INSIDE: Final = [
    ip_network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
] + [ip_network(text) for text in ("::/127", "fc00::/7", "fe80::/10")]


class FoundValue(NamedTuple):
    """A value as it is known here, and how many of the accounts have it."""

    kind: IndicatorKind
    value: str
    accounts: int


class FoundValues(NamedTuple):
    """`accounts` are those of which something could leave, by primary key."""

    accounts: Sequence[int]
    values: Sequence[FoundValue]


def find_shareable_values(campaign: Campaign, *, now: datetime) -> FoundValues:
    """Return what the refused members of a campaign are known by, and nobody else."""
    members = CampaignMember.objects.current().filter(campaign=campaign).order_by("-strength", "account")
    pks = list(members.values_list("account", flat=True))
    denied = find_denied_account_pks(pks, now=now)
    ours = [pk for pk in pks if pk in denied][:MOST_ACCOUNTS]
    if not ours:
        return FoundValues([], [])
    used = _addresses(ours, now=now)
    found = [
        *_of_register(ours, "payment_fingerprint", IndicatorKind.CARD),
        *_of_register(ours, "email_domain", IndicatorKind.DOMAIN),
        *(FoundValue(IndicatorKind.ADDRESS, *one) for one in _most({name: len(by) for name, by in used.items()})),
        *_networks(ours, used),
        *_wrappers(ours),
    ]
    return FoundValues(ours, found)


def fingerprint_key_id() -> str:
    """Return by what fingerprints of two installations are told to be comparable. It says nothing of the key."""
    return hmac.new(settings.FINGERPRINT_KEY, b"stillwatch fingerprint key", sha256).hexdigest()[:8]


def _most(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:MOST_VALUES]


def _of_register(ours: Collection[int], column: str, kind: IndicatorKind) -> list[FoundValue]:
    """Values of the register that no other account has; pseudonyms of erased ones stay here."""
    known = Account.objects.order_by().exclude(**{column: ""}).exclude(**{f"{column}__startswith": "erased-"})
    counted = dict(known.filter(pk__in=ours).values_list(column).annotate(number=Count("pk")))
    counted = {value: number for value, number in counted.items() if value not in PUBLIC_MAIL}
    others = known.filter(**{f"{column}__in": list(counted)}).exclude(pk__in=ours).values_list(column, flat=True)
    return [FoundValue(kind, *one) for one in _most(_without(counted, others.distinct()))]


def _without(counted: Mapping[str, int], others: Iterable[str | None]) -> dict[str, int]:
    elsewhere = set(others)
    return {value: number for value, number in counted.items() if value not in elsewhere}


_USED: Final = """
SELECT DISTINCT asked.account, host(used.ip)
FROM unnest(%s::bigint[]) AS asked (account), LATERAL (
    SELECT ip FROM usage_usageevent WHERE account_id = asked.account AND occurred_at >= %s AND ip IS NOT NULL
    ORDER BY occurred_at DESC LIMIT %s
) AS used
"""


def _addresses(ours: Sequence[int], *, now: datetime) -> dict[str, set[int]]:
    """The accounts that used each address, of those that no other account used or signed up from."""
    sign_ups = Account.objects.filter(pk__in=ours, signup_ip__isnull=False).values_list("pk", "signup_ip")
    with connection.cursor() as cursor:
        cursor.execute(_USED, [list(ours), now - USED_WITHIN, EVENTS_READ])
        found = [*cursor.fetchall(), *sign_ups]
    used: dict[str, set[int]] = defaultdict(set)
    for account, address in found:
        if _is_outside(address):
            used[address].add(account)
    digests = {address: address_digest(address) for address in used}
    traits = AccountTrait.objects.filter(kind=TraitKind.ADDRESS, digest__in=set(digests.values()))
    elsewhere = set(traits.exclude(account__in=ours).values_list("digest", flat=True))
    others = Account.objects.filter(signup_ip__in=list(used)).exclude(pk__in=ours)
    signed_up = set(others.values_list("signup_ip", flat=True))
    return {one: by for one, by in used.items() if digests[one] not in elsewhere and one not in signed_up}


def _is_outside(address: str) -> bool:
    ip = ip_address(address)
    return not any(ip in network for network in _INSIDE if network.version == ip.version)


def _networks(ours: Collection[int], used: Mapping[str, set[int]]) -> list[FoundValue]:
    """Networks with several of these addresses, from which nobody else signed up."""
    inside: dict[str, list[str]] = defaultdict(list)
    for address in used:
        inside[str(network_of(address))].append(address)
    found = []
    for name in sorted(name for name, addresses in inside.items() if len(addresses) >= ADDRESSES_OF_A_NETWORK):
        network = ip_network(name)
        others = Account.objects.filter(signup_ip__gte=str(network[0]), signup_ip__lte=str(network[-1]))
        if not others.exclude(pk__in=ours).exists():
            accounts = set[int]().union(*(used[address] for address in inside[name]))
            found.append(FoundValue(IndicatorKind.NETWORK, name, len(accounts)))
    return found[:MOST_VALUES]


def _wrappers(ours: Collection[int]) -> list[FoundValue]:
    """Wordings that open or close prompts of several of these accounts, and of nobody else."""
    kinds = [TraitKind.OPENING, TraitKind.CLOSING]
    traits = AccountTrait.objects.filter(kind__in=kinds, uses__gte=LEAST_USES).order_by()
    counted = dict(
        traits.filter(account__in=ours).values_list("digest").annotate(number=Count("account", distinct=True))
    )
    several = {digest: number for digest, number in counted.items() if number >= min(2, len(ours))}
    others = AccountTrait.objects.filter(kind__in=kinds, digest__in=list(several)).exclude(account__in=ours)
    elsewhere = set(others.values_list("digest", flat=True))
    key = fingerprint_key_id()
    named = {f"{key}:{digest % 2**64:016x}": number for digest, number in several.items() if digest not in elsewhere}
    return [FoundValue(IndicatorKind.WRAPPER, *one) for one in _most(named)]
