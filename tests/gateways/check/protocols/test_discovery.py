"""Protocols of the check are found by their files."""

import pkgutil
from types import ModuleType

import pytest

from governance.gateways.check import protocols
from governance.gateways.check.app import PROTOCOLS
from governance.gateways.check.forwarding import is_check_path
from governance.gateways.check.header_protocols import header_query
from governance.gateways.check.protocol import CheckProtocol, own_header
from governance.gateways.check.protocols import ProtocolError, ProtocolsByPath, all_protocols, nginx, protocols_from

FILES = [found.name for found in pkgutil.iter_modules(protocols.__path__)]


def module(name: str, protocol: object, doc: str = "A gateway of somebody's own.") -> ModuleType:
    made = ModuleType(f"protocols.{name}", doc=doc)
    if protocol is not None:
        setattr(made, "PROTOCOL", protocol)  # noqa: B010 - a module made up here has no such attribute
    return made


def own(path: str, *, is_prefix: bool = False) -> CheckProtocol:
    refuse = nginx.PROTOCOL.refuse
    return CheckProtocol(path, own_header, header_query, nginx.PROTOCOL.answer, refuse, is_prefix=is_prefix)


class TestEveryFile:
    def test_is_a_protocol(self) -> None:
        assert len(all_protocols()) == len(FILES)

    @pytest.mark.parametrize("protocol", all_protocols(), ids=lambda protocol: protocol.path)
    def test_is_spoken_at_its_path_by_the_check_and_by_the_address_of_the_pages(self, protocol: CheckProtocol) -> None:
        assert PROTOCOLS.find(protocol.path) is protocol
        assert is_check_path(protocol.path)
        assert is_check_path(f"{protocol.path}/v1/chat") == protocol.is_prefix


class TestAFile:
    def test_without_a_protocol_is_named(self) -> None:
        with pytest.raises(ProtocolError, match=r"protocols\.kong has no PROTOCOL"):
            protocols_from([module("kong", None)])

    def test_without_a_docstring_is_named(self) -> None:
        with pytest.raises(ProtocolError, match=r"protocols\.kong has no docstring"):
            protocols_from([module("kong", own("/access/kong"), doc="")])

    def test_with_a_path_that_another_has_is_named(self) -> None:
        with pytest.raises(ProtocolError, match=r"protocols\.apisix has the path /access/kong"):
            protocols_from([module("kong", own("/access/kong")), module("apisix", own("/access/kong"))])


class TestAnAddress:
    def test_below_a_prefix_belongs_to_it_unless_another_has_it_whole(self) -> None:
        broad, narrow = own("/access/kong", is_prefix=True), own("/access/kong/check")
        found = ProtocolsByPath([broad, narrow])

        assert found.find("/access/kong/check") is narrow
        assert found.find("/access/kong/anything") is broad
        assert found.find("/access") is None
