from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.staff.roles import Role
from governance.webhooks.actions import add_webhook, deliver, disable, enable, ping, replay
from governance.webhooks.models import Delivery, Webhook
from tests.factories import MACHINE, NOW, person
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/stillwatch"


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(person("Ada Moreau", role=Role.ADMIN))
    return client


@pytest.fixture
def webhook() -> Webhook:
    return add_webhook(URL, by=MACHINE, now=NOW)[0]


def post(client: Client, path: str = "", **fields: Any) -> Any:
    return client.post(f"/enforcement/webhooks/{path}", fields)


def test_a_webhook_is_added_and_its_secret_shown_once(ada: Client) -> None:
    page = post(ada, "add/", url=URL).content.decode()
    again = ada.get(f"/enforcement/webhooks/{Webhook.objects.get().pk}/").content.decode()

    assert "whsec_" in page
    assert "whsec_" not in again


def test_an_address_that_will_not_do_is_said_at_the_field(ada: Client) -> None:
    response = post(ada, "add/", url="http://example.com/")

    assert response.status_code == 422
    assert "The address must begin with https://." in response.content.decode()


def test_a_page_sent_twice_adds_no_second_webhook(ada: Client) -> None:
    statuses = [post(ada, "add/", url=URL).status_code for _ in range(2)]

    assert statuses == [200, 422]
    assert Webhook.objects.count() == 1


def test_a_stale_page_switches_nothing_the_other_way_round(ada: Client, webhook: Webhook) -> None:
    disable(webhook, because="The receiver answered 410: gone.", by=MACHINE, now=NOW)

    post(ada, f"{webhook.pk}/switch/", to="off")

    webhook.refresh_from_db()
    assert webhook.disabled_because == "The receiver answered 410: gone."


def test_everything_can_be_done_from_the_page(ada: Client, webhook: Webhook) -> None:
    before = bytes(webhook.secrets)
    post(ada, f"{webhook.pk}/test/")
    post(ada, f"{webhook.pk}/replay/", delivery=str(Delivery.objects.get().pk))
    assert "whsec_" in post(ada, f"{webhook.pk}/rotate/").content.decode()
    post(ada, f"{webhook.pk}/switch/", to="off")

    webhook.refresh_from_db()
    assert bytes(webhook.secrets) != before
    assert webhook.disabled_at is not None
    post(ada, f"{webhook.pk}/switch/", to="on")
    assert Webhook.objects.filter(disabled_at=None).exists()
    post(ada, f"{webhook.pk}/remove/")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(("role", "status"), [(Role.REVIEWER, 403), (Role.AUDITOR, 200), (Role.LEAD, 200)])
def test_others_see_or_do_not_see_but_never_change(client: Client, webhook: Webhook, role: Role, status: int) -> None:
    client.force_login(person(role=role))

    assert client.get(f"/enforcement/webhooks/{webhook.pk}/").status_code == status
    assert post(client, f"{webhook.pk}/rotate/").status_code == 403


def test_an_address_that_is_registered_already_is_refused_and_says_what_became_of_it(
    ada: Client, webhook: Webhook
) -> None:
    first = post(ada, "add/", url=URL).content.decode()
    disable(webhook, because="gone", by=MACHINE, now=NOW)
    second = post(ada, "add/", url=URL).content.decode()

    assert "This URL is already registered." in first
    assert "switch it on instead" not in first
    assert "It is switched off: switch it on instead." in second
    assert Webhook.objects.count() == 1


def test_what_a_page_asks_for_twice_is_done_once(ada: Client, webhook: Webhook) -> None:
    done = [enable(webhook, by=MACHINE, now=NOW), replay(webhook, since=NOW, by=MACHINE, now=NOW)]

    assert done == [False, 0]
    assert not Entry.objects.filter(verb__in=["webhook.enabled", "webhook.replayed"]).exists()


def test_nothing_is_sent_to_a_webhook_that_was_removed_meanwhile(webhook: Webhook) -> None:
    removed = webhook.pk
    webhook.delete()

    assert deliver(removed, clock=timezone.now) == 0


@pytest.mark.parametrize("fields", [{}, {"since": "last week"}, {"delivery": "x"}])
def test_what_is_to_be_sent_again_has_to_be_said(ada: Client, webhook: Webhook, fields: Any) -> None:
    ping(webhook, by=MACHINE, now=NOW)
    Delivery.objects.update(state=Delivery.State.GIVEN_UP)

    answer = post(ada, f"{webhook.pk}/replay/", **fields)

    assert answer.status_code == 422
    assert Delivery.objects.get().state == Delivery.State.GIVEN_UP


@pytest.mark.parametrize("fields", [{}, {"to": "maybe"}, {"to": ""}])
def test_a_switch_that_says_neither_on_nor_off_is_refused(ada: Client, webhook: Webhook, fields: Any) -> None:
    answer = post(ada, f"{webhook.pk}/switch/", **fields)

    assert answer.status_code == 400
    assert Webhook.objects.filter(disabled_at=None).exists()


class TestTheList:
    @pytest.fixture(autouse=True)
    def _loopback_is_ours(self, settings: Any) -> None:
        settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]

    def shown(self, ada: Client) -> str:
        return " ".join(ada.get("/enforcement/webhooks/").content.decode().split())

    def pinged(self, *statuses: int) -> Webhook:
        """A webhook whose receiver answered so, one message after the other."""
        with receiving() as receiver:
            pinged = add_webhook(receiver.url, by=MACHINE, now=NOW)[0]
            for status in statuses:
                receiver.statuses = [status]
                ping(pinged, by=MACHINE, now=timezone.now())
                deliver(pinged.pk, clock=timezone.now)
        return pinged

    def test_says_that_nothing_has_arrived_yet(self, ada: Client, webhook: Webhook) -> None:
        assert "Nothing delivered yet, 0 queued." in self.shown(ada)

    def test_says_when_something_arrived_last(self, ada: Client) -> None:
        self.pinged(204)

        shown = self.shown(ada)

        assert "Last delivered just now, 0 queued." in shown
        assert "failing" not in shown

    def test_says_what_fails_since_when_and_why_with_a_link(self, ada: Client) -> None:
        pinged = self.pinged(204, 503)

        shown = self.shown(ada)

        assert "<b>1</b> failing, will be retried. Last failure just now: the receiver answered 503." in shown
        assert f'href="/enforcement/webhooks/{pinged.pk}/#deliveries"' in shown
        assert "Last delivered just now" in shown

    def test_says_what_nobody_took(self, ada: Client) -> None:
        pinged = self.pinged()
        ping(pinged, by=MACHINE, now=timezone.now())

        deliver(pinged.pk, clock=timezone.now)

        assert "<b>1</b> failing, will be retried. Last failure just now: Connection refused." in self.shown(ada)

    def test_says_what_was_given_up(self, ada: Client) -> None:
        self.pinged(500)
        Delivery.objects.update(state=Delivery.State.GIVEN_UP)

        assert "<b>1</b> given up. Last failure just now: the receiver answered 500." in self.shown(ada)

    def test_counts_what_is_sent_again_as_not_tried_yet(self, ada: Client) -> None:
        pinged = self.pinged(500)

        post(ada, f"{pinged.pk}/replay/", delivery=pinged.deliveries.get().pk)

        assert "Nothing delivered yet, 1 queued." in self.shown(ada)

    def test_takes_one_query_however_many_there_are(self, ada: Client, django_assert_num_queries: Any) -> None:
        for _ in range(3):
            self.pinged(500)

        with django_assert_num_queries(3):  # session, user, webhooks
            self.shown(ada)
