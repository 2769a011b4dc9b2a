"""What gateways report is stored, and shown on the pages of enforcement and of the case."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.gateways import views
from governance.gateways.models import CanaryProbe, DriftRepair, Gateway, GatewayInstance, PropagationEntry, Refusal
from governance.gateways.telemetry import (
    INSTANCES_KEPT,
    AccessReport,
    InstanceReport,
    RefusalReport,
    save_reports,
)
from governance.platform.expiry import delete_expired_rows
from governance.restrictions.models import Restriction
from governance.staff.roles import Role
from tests.factories import NOW, account, case, person, restriction, service_key
from tests.gateways.reported import SECOND, gateway, gateway_instance

pytestmark = pytest.mark.django_db


class TestRecording:
    def test_meets_a_gateway_by_its_service_key(self) -> None:
        key, _ = service_key("access:read", name="edge")

        for _ in range(2):
            save_reports([AccessReport(key.pk, key.name, NOW)], now=NOW)

        assert (Gateway.objects.get().name, Gateway.objects.get().service_key) == ("edge", key)

    def test_takes_a_gateway_that_was_described_before_under_its_name(self) -> None:
        key, _ = service_key("access:read", name="edge")
        described = gateway("edge", asked=False)

        save_reports([AccessReport(key.pk, key.name, NOW)], now=NOW)

        described.refresh_from_db()
        assert described.service_key == key

    def test_keeps_one_row_an_instance_and_every_arrival(self) -> None:
        key, _ = service_key("access:read", name="edge")
        for sequence in (1, 2):
            seen = InstanceReport(key.pk, key.name, "a", sequence, NOW, [(sequence, NOW)])
            save_reports([seen], now=NOW)

        assert GatewayInstance.objects.get().sequence == 2
        assert PropagationEntry.objects.count() == 2

    def test_keeps_the_newest_thousand_instances_of_a_service_key(self) -> None:
        """A sender with one key who makes up names for ever fills no table, and displaces no other gateway's."""
        greedy, _ = service_key("access:read", name="greedy")
        other, _ = service_key("access:read", name="other")
        save_reports([InstanceReport(other.pk, other.name, "a", 1, NOW - timedelta(days=1), [])], now=NOW)

        for tens in range(0, INSTANCES_KEPT + 10, 10):
            seen = [(f"{number:04}", NOW + number * SECOND) for number in range(tens, tens + 10)]
            save_reports([InstanceReport(greedy.pk, "greedy", name, 1, at, [(1, at)]) for name, at in seen], now=NOW)

        kept = GatewayInstance.objects.filter(gateway__name="greedy").values_list("instance", flat=True)
        assert sorted(kept) == [f"{number:04}" for number in range(10, INSTANCES_KEPT + 10)]
        assert GatewayInstance.objects.filter(gateway__name="other").count() == 1

    def test_leaves_out_only_those_notes_that_the_database_does_not_take(self) -> None:
        key, _ = service_key("access:read", name="edge")
        number = restriction(account()).number
        good = RefusalReport(key.pk, key.name, number, NOW, NOW, 3)
        too_large = [good._replace(restriction=2**63), good._replace(times=10**30)]
        unreadable = InstanceReport(key.pk, key.name, "a\0", 1, NOW, [])

        dropped = save_reports(
            [
                AccessReport(key.pk, key.name, NOW),
                too_large[0],
                good,
                unreadable,
                too_large[1],
                unreadable._replace(instance="b"),
            ],
            now=NOW,
        )

        assert dropped == [too_large[0], unreadable, too_large[1]]
        assert Refusal.objects.get().count == 3
        assert GatewayInstance.objects.get().instance == "b"
        assert Gateway.objects.get().asked_at == NOW

    def test_is_forgotten_after_weeks_but_for_what_still_counts(self) -> None:
        restriction(account())
        gateway_instance(own := gateway(), "gone", knows=1)
        CanaryProbe.objects.create(gateway=own, at=NOW, outcome=CanaryProbe.Outcome.OBEYED)

        assert not delete_expired_rows(now=NOW + timedelta(days=1))
        assert delete_expired_rows(now=NOW + timedelta(days=31)).total() == 3
        assert Restriction.objects.exists()
        assert Gateway.objects.exists()


class TestThePage:
    def test_shows_gateways_restrictions_and_what_happens_without_stillwatch(self, client: Client) -> None:
        now = timezone.now()
        number = restriction(account("acct_harbour"), at=now).number
        own = Gateway.objects.create(name="edge", created_at=now)
        GatewayInstance.objects.create(gateway=own, instance="a", started_at=now, seen_at=now, sequence=number)
        client.force_login(person())

        page = client.get("/enforcement/").content.decode()

        assert "Up to date: it has reported every change." in page
        assert "in force at <b>edge</b>" in page
        assert "acct_harbour" in page
        assert "Existing restrictions keep applying." in page

    def test_costs_no_more_with_a_form_that_was_refused(
        self, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        client.force_login(person(role=Role.LEAD))

        with django_assert_max_num_queries(12):
            response = client.post("/enforcement/lost/1/drop/", {"note": ""})

        assert response.status_code == 422

    @pytest.mark.parametrize("many", [1, 5])
    def test_costs_few_queries(self, client: Client, django_assert_num_queries: Any, many: int) -> None:
        for number in range(many):
            restriction(account())
            gateway_instance(gateway(f"edge-{number}", asked=False), knows=0)
        client.force_login(person())

        # 1 session, 2 user, 3 what was heard of gateways, 4 what is wanted, 5 newest restrictions, 6 where they stand,
        # 7 gateways with their counts, 8 times, 9 probes, 10 kinds, 11 repairs, 12 what was lost
        with django_assert_num_queries(12):
            client.get("/enforcement/")

    def test_shows_a_red_banner_where_something_is_not_in_force(self, client: Client) -> None:
        restriction(account(), at=timezone.now() - 10 * SECOND)
        Gateway.objects.create(name="edge", created_at=NOW, asked_at=timezone.now())
        client.force_login(person(role=Role.AUDITOR))

        banner = client.get("/enforcement/alarm/").content.decode()
        page = client.get("/enforcement/").content.decode()

        assert "<b>edge</b>" in banner
        # The region that reads it out stands in the page, so that the same banner is not read out again.
        assert 'role="alert"' not in banner
        assert 'id="alarm" class="alarm-place" role="alert" data-if-changed' in page


class TestWhatIsMissing:
    def lacking(self, many: int) -> list[int]:
        """So many restrictions that the only gateway has not received, and a watch, which it has not either."""
        made = [restriction(account()).number for _ in range(many)]
        watched = restriction(account(), Restriction.Kind.WATCH).number
        gateway_instance(gateway("edge", asked=False), knows=0, seen=(timezone.now() - NOW).total_seconds())
        return [*made, watched]

    def listed(self, client: Client, address: str) -> list[int]:
        return [int(number) for number in re.findall(r">no\. (\d+)</a>", client.get(address).content.decode())]

    def test_is_cut_on_the_page_and_listed_in_full_behind_a_link(self, client: Client) -> None:
        numbers = self.lacking(8)
        client.force_login(person(role=Role.LEAD))

        page = client.get("/enforcement/").content.decode()

        assert re.search(r"Not yet at every gateway\s*<span[^>]*>5 of 9</span>", page)
        assert '<a href="/enforcement/missing/">All 9</a>' in page
        assert self.listed(client, "/enforcement/missing/") == numbers
        assert client.get("/").context["missing"] == 9

    def test_goes_on_where_the_page_before_ended(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(views, "PAGE", 4)
        numbers = self.lacking(8)
        client.force_login(person())
        address, found = "/enforcement/missing/", []

        while address:
            page = client.get(address).content.decode()
            assert "9 restrictions whose start or end has not reached some gateway" in page
            found.append(self.listed(client, address))
            more = re.search(r'href="(\?after=\d+)">More', page)
            address = f"/enforcement/missing/{more[1]}" if more else ""

        assert found == [numbers[:4], numbers[4:8], numbers[8:]]

    def test_is_nothing_where_a_gateway_cannot_be_asked_and_the_banner_says_only_that(self, client: Client) -> None:
        restriction(account(), at=timezone.now() - timedelta(hours=1))
        gateway("edge")
        Gateway.objects.update(asked_at=timezone.now())
        client.force_login(person(role=Role.LEAD))

        banner = client.get("/enforcement/alarm/").content.decode()

        assert "It is not known whether decisions have reached <b>edge</b>" in banner
        assert "Some decisions" not in banner
        assert client.get("/").context["missing"] == 0
        assert self.listed(client, "/enforcement/missing/") == []

    @pytest.mark.parametrize("asked_ago", [timedelta(minutes=7), timedelta(days=2)])
    def test_is_nothing_at_a_gateway_that_only_idles(self, client: Client, asked_ago: timedelta) -> None:
        """As the service key of README's first walk, which checks once."""
        restriction(account(), at=timezone.now() - timedelta(hours=2))
        gateway_instance(None, "web-1", knows=0, seen=(timezone.now() - NOW).total_seconds())
        Gateway.objects.create(name="edge", created_at=NOW, asked_at=timezone.now() - asked_ago)
        client.force_login(person(role=Role.LEAD))

        assert client.get("/").context["missing"] == 0
        assert self.listed(client, "/enforcement/missing/") == []
        assert "Some decisions" not in client.get("/enforcement/alarm/").content.decode()

    def test_is_refused_behind_a_place_that_there_is_not(self, client: Client) -> None:
        client.force_login(person())

        assert client.get("/enforcement/missing/?after=next").status_code == 400

    def test_costs_seven_queries(self, client: Client, django_assert_num_queries: Any) -> None:
        self.lacking(8)
        client.force_login(person())

        # 1 session, 2 user, 3 gateways, 4 what they ought to have, 5 what is missing, 6 in full, 7 where it stands
        with django_assert_num_queries(7):
            client.get("/enforcement/missing/")


class TestAListThatIsCut:
    def test_says_so_and_leads_to_the_whole(self, client: Client) -> None:
        own, now = gateway("edge"), timezone.now()
        GatewayInstance.objects.bulk_create(
            GatewayInstance(gateway=own, instance=f"pod-{number}", started_at=NOW, seen_at=now, sequence=0)
            for number in range(23)
        )
        DriftRepair.objects.bulk_create(
            DriftRepair(gateway=own, name=f"team {number}", blocked=True, mended=True, at=now) for number in range(21)
        )
        client.force_login(person(role=Role.ADMIN))

        page = client.get("/enforcement/").content.decode()

        assert "Instances, 20 of 23" in page
        assert f'href="/admin/gateways/gatewayinstance/?gateway__id__exact={own.pk}">All instances</a>' in page
        assert "the newest 20" in page
        assert 'href="/admin/gateways/driftrepair/">All repairs</a>' in page


class TestAGatewayThatIsIdle:
    def test_is_amber_and_says_why(self, client: Client) -> None:
        """As the service key of README's first walk, which checks once."""
        restriction(account(), at=timezone.now() - timedelta(hours=2))
        Gateway.objects.create(name="edge", created_at=NOW, asked_at=timezone.now() - timedelta(minutes=7))
        client.force_login(person())

        page = client.get("/enforcement/").content.decode()

        assert "gateway-warning" in page
        assert "No check for 7 min; it is idle or no longer connected." in page
        assert "an idle gateway looks like one that is cut off" in page


class TestTheCase:
    def page(self, client: Client, **headers: str) -> str:
        harbour = account("acct_harbour")
        about = case(harbour)
        number = restriction(harbour, at=timezone.now()).number
        own = Gateway.objects.create(name="edge", created_at=NOW)
        now = timezone.now()
        made = GatewayInstance.objects.create(
            gateway=own, instance="a", started_at=NOW, seen_at=now, sequence=number if headers.pop("known", "") else 0
        )
        PropagationEntry.objects.create(
            gateway_instance=made, sequence=number, at=Restriction.objects.get().starts_at + 0.2 * SECOND
        )
        client.force_login(person())
        return client.get(f"/cases/{about.pk}/", headers=headers).content.decode()

    def test_says_where_a_block_is_pending_and_looks_again(self, client: Client) -> None:
        page = self.page(client)

        assert "not yet in force at <b>edge</b>" in page
        assert 'hx-trigger="every 1s"' in page

    def test_says_where_it_is_in_force_and_how_long_that_took(self, client: Client) -> None:
        page = self.page(client, known="yes")

        assert "in force at <b>edge</b> after 0.2 s: reported by its only instance" in page
        assert 'hx-trigger="every 1s"' not in page

    def test_warns_where_no_gateway_asks(self, client: Client) -> None:
        about = case(harbour := account())
        restriction(harbour, at=timezone.now())
        client.force_login(person())

        assert "No gateway connected in the last day" in client.get(f"/cases/{about.pk}/").content.decode()
