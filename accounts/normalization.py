"""One spelling for every value that may be spelled in several ways: each door passes what it reads through here. Pure.

Each function takes text as it came, and gives "" where it holds nothing. Ids are in `stillwatch_gateway.normalization`,
since gateways compare them too.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any, Final
from unicodedata import normalize

from stillwatch_gateway.normalization import is_nothing, normalize_id

__all__ = [
    "UTF_16",
    "customer_network",
    "drop_empty_members",
    "is_nothing",
    "normalize_address",
    "normalize_country",
    "normalize_domain",
    "normalize_id",
    "normalize_model",
    "strip_byte_order_mark",
]  # fmt: skip

# What a customer is given of IPv6 (RFC 6177): all addresses in it are theirs, and devices change them daily (RFC 8981).
CUSTOMER_PREFIX: Final = 64

# How text begins whose program marks the order of its bytes.
BOM: Final = b"\xef\xbb\xbf"
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

_WITH_PORT: Final = re.compile(r"\[([^\[\]]+)\](?::\d{1,5})?|([^:\[\]]+):\d{1,5}")


# Customers come from few addresses, again and again.
@lru_cache(maxsize=131_072)
def normalize_address(text: str) -> str:
    """Return an IPv4 or IPv6 address in its one spelling (RFC 5952), an IPv4 address where it is one inside IPv6.

    A port behind it and brackets around it are left out. Raises ValueError where it is no address, or names an
    interface of its sender, as fe80::1%eth0 does.
    """
    text = text.strip()
    if not text:
        return ""
    if with_port := _WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError("is not an IPv4 or IPv6 address") from None
    if isinstance(address, IPv4Address):
        return str(address)
    if address.scope_id is not None:
        raise ValueError("names a network interface: leave that out")
    return str(address.ipv4_mapped or address)


@lru_cache(maxsize=131_072)
def customer_network(text: str) -> str:
    """Return what one customer has of addresses: the IPv4 address itself, or the /64 that an IPv6 address is in.

    Raises ValueError where it is no address.
    """
    address = ip_address(normalize_address(text))
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, CUSTOMER_PREFIX), strict=False))


@lru_cache(maxsize=4096)
def normalize_model(text: str) -> str:
    """Return a model's name in lower case: providers take either."""
    return normalize_id(normalize_id(text).lower())


def normalize_country(text: str) -> str:
    """Return a country's two letters (ISO 3166-1) in upper case."""
    return text.strip().upper()


def normalize_domain(text: str) -> str:
    """Return the domain of an e-mail address in lower case and in ASCII (RFC 5890), without the dot of the root."""
    domain = normalize("NFKC", text).strip().rpartition("@")[2].rstrip(".").lower()
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:  # a label that is empty or too long: kept as it was given
        return domain


def strip_byte_order_mark(text: bytes) -> bytes:
    """Return UTF-8 without the byte order mark that some programs write before it."""
    return text.removeprefix(BOM)


def drop_empty_members(
    members: Mapping[str, Any], *, required: Collection[str], nested: Collection[str] = ()
) -> dict[str, Any]:
    """Return the members of a JSON object without those that hold null or "", and with whole numbers as integers.

    Null is absent; tables and languages that know none write "" for it, and 812.0 for 812. What is `required` stays as
    it is, so that its absence is not hidden; objects, and lists of objects, that are `nested` are tidied too.
    """
    tidied: dict[str, Any] = {}
    for name, value in members.items():
        if name in nested:
            tidied[name] = _tidy_inside(value, required)
        elif isinstance(value, float) and value.is_integer():
            tidied[name] = int(value)
        else:
            tidied[name] = value
    return {name: value for name, value in tidied.items() if value not in ("", None) or name in required}


def _tidy_inside(value: Any, required: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_tidy_inside(one, required) for one in value]
    return drop_empty_members(value, required=required) if isinstance(value, dict) else value
