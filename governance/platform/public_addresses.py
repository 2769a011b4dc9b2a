"""Which IP addresses are public: for requests to addresses that somebody entered (server-side request forgery)."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

NAT64: Final = IPv6Network("64:ff9b::/96")
# All other IPv6 addresses are local, reserved or stand for something else, whatever `is_global` says of them.
UNICAST: Final = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address


def parse_ip_address(text: str) -> Address:
    """Return the IP address, as IPv4 if it is an IPv6 address that only wraps one. Raises ValueError."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Return True if the address belongs to one host on the Internet."""
    is_unicast = not address.is_multicast if isinstance(address, IPv4Address) else address in UNICAST
    return address.is_global and is_unicast
