"""From where a request comes, as far as that can be known."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.http import HttpRequest

UNKNOWN: Final = "unknown"
# What a provider gives one customer, and a block within which an IPv4 address changes from day to day.
IPV4_BITS: Final = 24
IPV6_BITS: Final = 64


def client_network(request: HttpRequest) -> str:
    """Return the network of the client's address, such as `203.0.113.0/24`, or `unknown`.

    Behind proxies the address is the one that the outermost of them saw: each adds the address that it was called from
    to the end of X-Forwarded-For, and whatever stands before those may have been made up by the client.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXIES:
        forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        address = forwarded[-settings.PROXIES] if len(forwarded) >= settings.PROXIES else address
    return get_network(address)


def get_network(address: str) -> str:
    """Return the network of an IP address as text, or `unknown` where the text is no address."""
    try:
        ip = ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ip_network((ip, IPV6_BITS), strict=False))
        ip = ip.ipv4_mapped
    return str(ip_network((ip, IPV4_BITS), strict=False))
