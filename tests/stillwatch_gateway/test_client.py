"""The gateway's client beside a real server: fresh, and safe while that cannot be reached."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from governance.gateways.models import GatewayInstance, Refusal
from governance.restrictions.actions import lift
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, api_key, restriction
from tests.front import Served
from tests.stillwatch_gateway.clients import block, connect, folder, front, unreachable
from tests.waiting import wait_until

__all__ = ["connect", "folder", "front"]  # fixtures


class TestFollowing:
    def test_begins_with_what_is_in_force(self, front: Served, connect: Callable[..., Gateway]) -> None:
        api_key(owner := account("acct_harbour"), "key_1")
        restriction(owner, at=timezone.now())

        gateway = connect(front)

        assert not gateway.decide(account="acct_harbour").allowed
        assert not gateway.decide(key="key_1").allowed
        assert gateway.decide(account="acct_other").allowed

    def test_is_told_of_blocks_and_of_lifting(self, front: Served, connect: Callable[..., Gateway]) -> None:
        gateway = connect(front)

        blocked = block("acct_harbour")
        wait_until(lambda: not gateway.decide(account="acct_harbour").allowed)
        lift(blocked, note="a mistake", by=MACHINE, now=timezone.now())
        wait_until(lambda: gateway.decide(account="acct_harbour").allowed)

        assert gateway.sequence == 2

    def test_goes_on_after_its_connection_was_cut(self, front: Served, connect: Callable[..., Gateway]) -> None:
        gateway = connect(front)

        for number in range(20):
            if number % 4 == 0:
                gateway.cut()
            block(f"acct_{number}")

        wait_until(lambda: gateway.sequence == 20)
        assert not any(gateway.decide(account=f"acct_{number}").allowed for number in range(20))

    def test_tells_what_it_knows_and_whom_it_refused(self, front: Served, connect: Callable[..., Gateway]) -> None:
        gateway = connect(front)
        blocked = block("acct_harbour")
        wait_until(lambda: not gateway.decide(account="acct_harbour").allowed)

        def noted() -> bool:
            gateway.cut()  # so that it does not wait for the next change before it tells
            front.front.telemetry.flush()
            return Refusal.objects.exists()

        wait_until(noted)
        gateway_instance = GatewayInstance.objects.get(gateway__name="litellm")
        assert (gateway_instance.instance, gateway_instance.sequence) == ("a", blocked.number)
        assert gateway_instance.propagations.get(sequence=blocked.number).at >= blocked.starts_at
        assert Refusal.objects.get().restriction_id == blocked.number


class TestCutOff:
    def test_refuses_whom_it_knew_from_disk_and_lets_in_everybody_else(
        self, front: Served, connect: Callable[..., Gateway]
    ) -> None:
        block("acct_early")
        first = connect(front)
        block("acct_late")
        wait_until(lambda: first.sequence == 2)
        first.close()

        gateway = connect(unreachable(front), wait=0.1)

        assert not gateway.decide(account="acct_early").allowed
        assert not gateway.decide(account="acct_late").allowed
        assert gateway.decide(account="acct_good").allowed

    def test_refuses_those_whose_plan_fails_closed_once_patience_ends(
        self, front: Served, connect: Callable[..., Gateway]
    ) -> None:
        first = connect(front)
        assert first.decide(account="acct_new", plan="free").allowed
        first.close()

        gateway = connect(unreachable(front), wait=0.1, patience=0.0)

        decision = gateway.decide(account="acct_new", plan="free")
        assert (decision.allowed, decision.because) == (False, "stillwatch cannot be reached")
        assert gateway.decide(account="acct_new", plan="enterprise").allowed


class TestMakingOne:
    @pytest.mark.parametrize("instance", ["edge\n1", "edge\x00", "\u202eedge", "\ud800", "   ", "e" * 121, 7])
    def test_refuses_a_name_that_stillwatch_would_not_take(self, tmp_path: Path, instance: Any) -> None:
        with pytest.raises(ValueError, match="instance must be 1 to 120 printable characters, not blank"):
            Gateway("https://stillwatch.example.com", "swk_1", tmp_path, instance=instance)

    @pytest.mark.parametrize("instance", ["e" * 120, "edge-eu 1", "Kante-Ü"])
    def test_takes_any_other(self, tmp_path: Path, instance: str) -> None:
        Gateway("https://stillwatch.example.com", "swk_1", tmp_path, instance=instance)

    @pytest.mark.parametrize("key", ["swk_1\n", "swk_\x00", "swk_ü"])
    def test_refuses_a_key_that_no_header_can_hold(self, tmp_path: Path, key: str) -> None:
        with pytest.raises(ValueError, match="service_key must be in one line of printable ASCII"):
            Gateway("https://stillwatch.example.com", key, tmp_path)

    def test_a_gateway_that_was_never_started_has_no_trouble_and_can_be_closed(self, tmp_path: Path) -> None:
        gateway = Gateway("https://stillwatch.example.com", "swk_1", tmp_path)

        gateway.cut()
        gateway.close()

        assert (gateway.store_problem, gateway.sequence, gateway.epoch, gateway.faults) == ("", 0, "", 0)

    @pytest.mark.parametrize("url", ["stillwatch.example.com", "ftp://stillwatch.example.com", "https://"])
    def test_an_address_that_is_none_is_refused(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ValueError, match="is no address of Stillwatch"):
            Gateway(url, "swk_1", tmp_path)
