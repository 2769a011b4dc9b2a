"""Protocols of the check, one file each: how a kind of gateway asks whether a customer has access.

A protocol's file holds a docstring and `PROTOCOL`, a `CheckProtocol`. Putting such a file into this folder is all it
takes.
"""

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from types import ModuleType

from governance.gateways.check.protocol import CheckProtocol


class ProtocolError(Exception):
    """A file among the protocols is not one."""


@cache
def all_protocols() -> tuple[CheckProtocol, ...]:
    """Return every protocol of this folder. Raises ProtocolError for a file that does not meet the interface."""
    return protocols_from(import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))


def protocols_from(modules: Iterable[ModuleType]) -> tuple[CheckProtocol, ...]:
    """Return the protocols of these files. Raises ProtocolError where one has none, or a path that another has."""
    by_path: dict[str, CheckProtocol] = {}
    for module in modules:
        protocol = getattr(module, "PROTOCOL", None)
        if not isinstance(protocol, CheckProtocol):
            raise ProtocolError(f"{module.__name__} has no PROTOCOL that is a CheckProtocol.")
        if not (module.__doc__ or "").strip():
            raise ProtocolError(f"{module.__name__} has no docstring.")
        if protocol.path in by_path:
            raise ProtocolError(f"{module.__name__} has the path {protocol.path}, which another protocol has.")
        by_path[protocol.path] = protocol
    return tuple(by_path.values())


class ProtocolsByPath:
    """Finds the protocol that is spoken at an address."""

    def __init__(self, protocols: Iterable[CheckProtocol]) -> None:
        every = tuple(protocols)
        self._by_path = {protocol.path: protocol for protocol in every}
        self._by_prefix = [(protocol.path, protocol) for protocol in every if protocol.is_prefix]

    def find(self, path: str) -> CheckProtocol | None:
        if (protocol := self._by_path.get(path)) is not None:
            return protocol
        for prefix, protocol in self._by_prefix:
            if path.startswith(prefix):
                return protocol
        return None
