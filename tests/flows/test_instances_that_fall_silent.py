"""An instance that is cut off may go on serving: no page says that it has what it never reported."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from governance.gateways.models import GatewayInstance
from governance.gateways.telemetry import InstanceReport, save_reports
from governance.staff.roles import Role
from stillwatch_gateway import Gateway
from tests.factories import person, service_key
from tests.flows.registered import Seller
from tests.front import served
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def seller(transactional_db: None, tmp_path: Path) -> Seller:
    return Seller(tmp_path)


def reports(key: UUID, instance: str, known: int, at: datetime, *, is_ending: bool = False) -> None:
    since = [(known, at)] if known else []
    save_reports([InstanceReport(key, "edge", instance, known, at, since, is_ending=is_ending)], now=at)


def enforcement_page() -> str:
    client = Client()
    client.force_login(person(f"Ada {timezone.now():%f}", role=Role.ADMIN))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/enforcement/").content.decode()))


class TestAnInstanceThatIsCutOff:
    def test_keeps_pages_from_saying_that_all_have_a_change(self, seller: Seller) -> None:
        issued, _ = service_key("access:read", name="edge")
        seller.imports({"account": "acct_harbour"})
        now = timezone.now()
        for name in ("one", "two"):
            reports(issued.pk, name, 0, now)
        number = seller.blocks(account="acct_harbour")
        with time_machine.travel(now + timedelta(seconds=40)):
            reports(issued.pk, "one", number, timezone.now())

            page = enforcement_page()

            assert "it has reported every change" not in page
            assert "in force where it is reported at edge : 1 instance silent for 40 s without it" in page
            assert "1 instance silent for 40 s without it, and may still serve." in page
            assert "two silent, last reported change 0" in page

            reports(issued.pk, "two", number, timezone.now())
            assert "it has reported every change" in enforcement_page()

    def test_is_forgotten_once_it_says_that_it_ends(self, seller: Seller) -> None:
        issued, _ = service_key("access:read", name="edge")
        seller.imports({"account": "acct_harbour"})
        now = timezone.now()
        for name in ("one", "two"):
            reports(issued.pk, name, 0, now, is_ending=name == "two")
        number = seller.blocks(account="acct_harbour")
        with time_machine.travel(now + timedelta(seconds=2)):
            reports(issued.pk, "one", number, timezone.now())

            assert "reported by its only instance" in enforcement_page()


class TestAnInstanceThatStops:
    def test_says_so_and_no_longer_counts(self, seller: Seller, tmp_path: Path) -> None:
        with served() as front:
            gateway = Gateway(front.url, front.secret, tmp_path / "copy", instance="one")
            assert gateway.start(wait=PATIENCE)
            gateway.close()
            front.front.telemetry.flush()

            wait_until(
                lambda: GatewayInstance.objects.filter(instance="one", ended_at__isnull=False).exists(),
                "it has said so",
            )

            again = Gateway(front.url, front.secret, tmp_path / "copy", instance="one")
            assert again.start(wait=PATIENCE)
            wait_until(lambda: GatewayInstance.objects.get(instance="one").ended_at is None, "it is back")
            again.close()

    def test_is_a_process_of_the_check_too(self, seller: Seller) -> None:
        with served():
            wait_until(lambda: GatewayInstance.objects.filter(gateway=None).exists(), "the check reports")
            assert GatewayInstance.objects.get(gateway=None).ended_at is None

        assert GatewayInstance.objects.get(gateway=None).ended_at is not None
