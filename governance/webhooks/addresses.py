"""Where webhooks may go: to public addresses, checked at the very connection that is used.

A name is resolved once, every address is looked at, and the connection goes to the one that was looked at: so a name
that means something else a moment later gains nothing.
"""

import socket
import ssl
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

CONNECT_SECONDS: Final = 5.0
NOT_PUBLIC: Final = "This address is not public."
MOST_ADDRESSES: Final = 3  # of one name are tried
NAT64: Final = IPv6Network("64:ff9b::/96")
# All else of the sixth version is local, reserved or stands for something else, whatever `is_global` says of it.
UNICAST: Final = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address


class AddressError(Exception):
    """A webhook may not go there."""


def checked(url: str) -> SplitResult:
    """The parts of an address that a webhook can have. Raises AddressError, whatever it resolves to later."""
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
    if _is_address(host) and not permitted(host, encrypted=parts.scheme == "https"):
        raise AddressError(NOT_PUBLIC)
    return parts


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def connection_to(url: str) -> HTTPConnection:
    """A connection that is made to a permitted address, or not at all: it raises AddressError when it is used."""
    parts = checked(url)
    made = _Https if parts.scheme == "https" else _Http
    return made(parts.hostname or "", parts.port or made.default_port, timeout=CONNECT_SECONDS)


def permitted(address: str, *, encrypted: bool) -> bool:
    """Whether a webhook may go to this address: a public one, or one that the operator has named."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    named = any(found in ip_network(network) for network in settings.WEBHOOK_PRIVATE_NETWORKS)
    unicast = not found.is_multicast if isinstance(found, IPv4Address) else found in UNICAST
    return named or (encrypted and found.is_global and unicast)


def _unwrapped(address: Address) -> Address:
    """The address of the fourth version that one of the sixth stands for, if it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _connect(host: str, port: int, *, encrypted: bool) -> socket.socket:
    """Raises AddressError, OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not found or not all(permitted(str(address[0]), encrypted=encrypted) for *_, address in found):
        raise AddressError(NOT_PUBLIC)
    failure = OSError()
    for family, kind, protocol, _, address in found[:MOST_ADDRESSES]:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(CONNECT_SECONDS)
            connected.connect(address)
        except OSError as error:
            connected.close()
            failure = error
        else:
            return connected
    raise failure


class _Http(HTTPConnection):
    def connect(self) -> None:
        self.sock = _connect(self.host, self.port, encrypted=False)


class _Https(HTTPSConnection):
    def __init__(self, host: str, port: int, **options: Any) -> None:
        self._trusted = ssl.create_default_context()
        super().__init__(host, port, context=self._trusted, **options)

    def connect(self) -> None:
        connected = _connect(self.host, self.port, encrypted=True)
        try:
            self.sock = self._trusted.wrap_socket(connected, server_hostname=self.host)
        except BaseException:
            connected.close()
            raise
