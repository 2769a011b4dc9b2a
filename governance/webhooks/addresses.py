"""Where webhooks may go: to public addresses by HTTPS, and to networks that the operator has named."""

from ipaddress import ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from governance.platform.public_addresses import is_public, parse_ip_address

NOT_PUBLIC: Final = "It leads to an address that is not public."


class AddressError(Exception):
    """No webhook can have this URL. The message says why."""


def check_url(url: str) -> SplitResult:
    """Return the parts of a URL that a webhook can have, whatever its host resolves to later. Raises AddressError."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise AddressError("Use ASCII characters without spaces; encode other characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # as resolving does, which no name gets past that has an empty label
    except ValueError as error:
        raise AddressError("Enter a valid address.") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise AddressError("The address must begin with https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressError("Leave out the user name and password.")
    if parts.scheme == "http" and not settings.WEBHOOK_PRIVATE_NETWORKS:
        raise AddressError("The address must begin with https://.")
    if port == 0:
        raise AddressError("Enter a valid port.")
    host = "127.0.0.1" if f".{parts.hostname}".endswith(".localhost") else parts.hostname
    if _is_address(host) and not is_permitted(host, encrypted=parts.scheme == "https"):
        raise AddressError(NOT_PUBLIC)
    return parts


def _is_address(host: str) -> bool:
    try:
        parse_ip_address(host)
    except ValueError:
        return False
    return True


def is_permitted(address: str, *, encrypted: bool) -> bool:
    """Return True if a webhook may go to this IP address: a public one, or one of WEBHOOK_PRIVATE_NETWORKS."""
    found = parse_ip_address(address)
    is_named = any(found in ip_network(network) for network in settings.WEBHOOK_PRIVATE_NETWORKS)
    return is_named or (encrypted and is_public(found))
