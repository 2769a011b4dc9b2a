"""From where a request comes, as far as that can be known."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.http import HttpRequest

UNKNOWN: Final = "unknown"
# What a provider gives one customer, and a block within which an IPv4 address changes from day to day.
IPV4_BITS: Final = 24
IPV6_BITS: Final = 64


def client_network(request: HttpRequest) -> str:
    """Return the network of the client's address, such as `203.0.113.0/24`, or `unknown`."""
    return get_network(client_address(request))


def client_address(request: HttpRequest) -> str:
    """Return the address of the client, as far as it is known."""
    return find_client(str(request.META.get("REMOTE_ADDR", "")), request.headers.get("X-Forwarded-For", ""))


def get_shown_address(request: HttpRequest) -> str:
    """Return the client's address as people read it, or an empty text where what is known is no address."""
    return str(_read(client_address(request)) or "")


def find_client(peer: str, forwarded: str) -> str:
    """Return the address of the client, of who called and of what X-Forwarded-For says.

    Behind proxies it is the one that the outermost of them saw: each adds the address that it was called from to the
    end, and whatever stands before those may have been made up by the client.
    """
    seen = [part.strip() for part in forwarded.split(",")]
    return seen[-settings.PROXIES] if 0 < settings.PROXIES <= len(seen) else peer


def is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Return True if the address lies in one of these networks; what is no address lies in none."""
    ip = _read(address)
    return ip is not None and any(ip in network for network in networks)


def get_network(address: str) -> str:
    """Return the network of an IP address as text, or `unknown` where the text is no address."""
    ip = _read(address)
    if ip is None:
        return UNKNOWN
    return str(ip_network((ip, IPV6_BITS if isinstance(ip, IPv6Address) else IPV4_BITS), strict=False))


def _read(address: str) -> IPv4Address | IPv6Address | None:
    """Return an address; that of IPv4 where it is written as one of IPv6."""
    try:
        ip = ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
