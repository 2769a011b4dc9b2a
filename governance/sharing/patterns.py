"""Indicators as STIX patterns, and back. Pure.

Addresses and networks are the patterns of the standard, which any tool can use. Cards and domains are keyed digests,
and wordings fingerprints, which only who holds the key can compare: properties of an object of our own.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from governance.detection.indicator_kinds import IndicatorKind

LONGEST_PATTERN: Final = 400
_DIGEST_OBJECT: Final = "x-stillwatch-digest"
_PROPERTIES: Final = {
    "card": IndicatorKind.CARD,
    "email_domain": IndicatorKind.DOMAIN,
    "wrapper": IndicatorKind.WRAPPER,
}
_PROPERTY_OF: Final = {kind: name for name, kind in _PROPERTIES.items()}
_KEYED: Final = re.compile(r"v[0-9]{1,4}:[0-9a-f]{64}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{8}:[0-9a-f]{16}")
_COMPARISON: Final = re.compile(
    r"\[\s*(?P<object>ipv4-addr|ipv6-addr|x-stillwatch-digest):(?P<property>[a-z_]+)\s*(?P<operator>=|ISSUBSET)\s*"
    r"'(?P<value>[0-9A-Za-z:./]{1,100})'\s*\]"
)
# A wider network has so many people in it that it says nothing.
WIDEST: Final = {4: 22, 6: 40}


class PatternError(Exception):
    """Nothing here can be compared with this pattern. The message says why."""


class Pattern(NamedTuple):
    kind: IndicatorKind
    value: str

    def __str__(self) -> str:
        if self.kind in _PROPERTY_OF:
            return f"[{_DIGEST_OBJECT}:{_PROPERTY_OF[self.kind]} = '{self.value}']"
        version = ip_network(self.value).version
        operator = "ISSUBSET" if self.kind is IndicatorKind.NETWORK else "="
        return f"[ipv{version}-addr:value {operator} '{self.value}']"


def parse_pattern(text: str) -> Pattern:
    """Return the one comparison of a pattern. Raises PatternError.

    >>> parse_pattern("[ipv4-addr:value = '203.0.113.0/24']")
    Pattern(kind=<IndicatorKind.NETWORK: 'network'>, value='203.0.113.0/24')
    """
    found = _COMPARISON.fullmatch(text.strip()) if len(text) <= LONGEST_PATTERN else None
    if found is None:
        raise PatternError("The pattern is none of those that are compared here: see docs/sharing.md.")
    if found["object"] != _DIGEST_OBJECT:
        return _parse_network(found["property"], found["value"])
    kind = _PROPERTIES.get(found["property"])
    form = _FINGERPRINT if kind is IndicatorKind.WRAPPER else _KEYED
    if kind is None or found["operator"] != "=" or not form.fullmatch(found["value"]):
        raise PatternError("This is no keyed digest of a card or an e-mail domain, and no fingerprint of a wording.")
    return Pattern(kind, found["value"])


def _parse_network(name: str, value: str) -> Pattern:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise PatternError("The value is no address and no network.") from None
    if name != "value":
        raise PatternError("Of an address its value is compared alone.")
    if network.num_addresses == 1:
        return Pattern(IndicatorKind.ADDRESS, str(network.network_address))
    if network.prefixlen < WIDEST[network.version]:
        raise PatternError(f"The network is wider than /{WIDEST[network.version]}: too many people are in it.")
    return Pattern(IndicatorKind.NETWORK, str(network))


def network_of(address: str) -> IPv4Network | IPv6Network:
    """Return the network that is named where several addresses in it were used.

    >>> str(network_of("203.0.113.7"))
    '203.0.113.0/24'
    """
    return ip_network((address, 24 if ip_address(address).version == 4 else 48), strict=False)
