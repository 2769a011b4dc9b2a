"""Where invented customers call from: addresses and networks that nobody on the internet owns."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from random import Random

# Networks 64512-65534 are for private use (RFC 6996); these few stand for companies that rent out servers.
HOSTING_NETWORKS = {
    64512: "Basalt Hosting",
    64513: "Northgrid Cloud",
    64514: "Quayside Servers",
    64515: "Cirrus Rack",
    64516: "Plain Metal",
}
_ACCESS_NETWORKS = range(64600, 64680)
# Benchmarking (RFC 2544), private use (RFC 1918) and documentation (RFC 3849).
_BENCHMARK = int(IPv4Address("198.18.0.0"))
_PRIVATE = int(IPv4Address("10.0.0.0"))
_DOCUMENTATION = int(IPv6Address("2001:db8::"))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request came from."""

    ip: str
    asn: int
    country: str


def hosting_addresses(number: int, country: str, dice: Random) -> list[Address]:
    """Return addresses of neighbouring servers at one hosting company."""
    networks = sorted(HOSTING_NETWORKS)
    which = int(dice.random() * len(networks))
    # A /15 shared by the hosting companies, so that a /18 belongs to one of them.
    first = _BENCHMARK + which * 2**14 + int(dice.random() * (2**14 - number))
    return [Address(str(IPv4Address(first + server)), networks[which], country) for server in range(number)]


def office_addresses(number: int, country: str, dice: Random) -> list[Address]:
    """Return addresses of an office or a home with its provider; some are IPv6."""
    provider = int(dice.random() * len(_ACCESS_NETWORKS))
    asn = _ACCESS_NETWORKS[provider]
    if dice.random() < 0.2:
        prefix = _DOCUMENTATION + (provider << 80) + (int(dice.random() * 2**16) << 64)
        return [Address(str(IPv6Address(prefix + 1 + line)), asn, country) for line in range(number)]
    first = _PRIVATE + provider * 2**17 + int(dice.random() * (2**17 - number))
    return [Address(str(IPv4Address(first + line)), asn, country) for line in range(number)]
