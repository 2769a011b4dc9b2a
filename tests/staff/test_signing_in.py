import pytest
from django.test import Client

from governance.audit.models import Entry
from governance.staff.actions import shut_out
from governance.staff.queries import ATTEMPTS_ALLOWED
from tests.factories import MACHINE, NOW, PASSWORD, person

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post("/sign-in/", {"username": email, "password": password}).status_code


class TestSigningIn:
    def test_leads_to_the_queue(self, client: Client) -> None:
        mira = person("Mira Okafor")

        response = client.post("/sign-in/", {"username": mira.email, "password": PASSWORD})

        assert response["Location"] == "/queue/"

    def test_ignores_the_case_of_the_address(self, client: Client) -> None:
        mira = person("Mira Okafor")

        assert sign_in(client, mira.email.upper()) == 302

    def test_leaves_an_entry(self, client: Client) -> None:
        mira = person("Mira Okafor")

        sign_in(client, mira.email)

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.actor_name, entry.subject_id) == (
            "sign_in.succeeded",
            "Mira Okafor",
            mira.email,
        )

    def test_that_fails_leaves_an_entry_without_the_password(self, client: Client) -> None:
        sign_in(client, "nobody@example.com", "guessed")

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.subject_id) == ("sign_in.failed", "nobody@example.com")
        assert "guessed" not in str(entry.details)

    def test_has_to_wait_after_many_failures_even_with_the_right_password(self, client: Client) -> None:
        mira = person("Mira Okafor")
        for _ in range(ATTEMPTS_ALLOWED):
            sign_in(client, mira.email, "guessed")

        response = client.post("/sign-in/", {"username": mira.email, "password": PASSWORD})

        assert "Too many attempts" in response.content.decode()

    def test_ends_at_once_for_somebody_who_is_shut_out(self, client: Client) -> None:
        mira = person("Mira Okafor")
        sign_in(client, mira.email)

        shut_out(mira, by=MACHINE, now=NOW)

        assert client.get("/queue/")["Location"].startswith("/sign-in/")
        assert sign_in(client, mira.email) == 200

    def test_is_refused_to_somebody_inactive(self, client: Client) -> None:
        mira = person("Mira Okafor")
        mira.is_active = False
        mira.save()

        assert sign_in(client, mira.email) == 200
