"""What strangers send instead of a passkey; that real ones work is in tests/flows/test_passkeys.py."""

import json

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from governance.staff.models import AttemptCount
from tests.factories import PASSWORD, person
from tests.review.pages import signed_in, text

pytestmark = pytest.mark.django_db

ADDRESS = "/sign-in/passkey/"
HOSTILE = ["", "{}", "[]", "[" * 15_000, "null", '{"id": 1, "response": []}', '{"response": {"userHandle": "eA"}}']


class TestSigningInWithAPasskey:
    def test_gets_a_challenge_that_leaves_no_session_behind(self, client: Client) -> None:
        options = json.loads(text(client.get(ADDRESS)))

        assert options["publicKey"]["userVerification"] == "required"
        assert client.cookies["passkey_challenge"]["httponly"]
        assert not Session.objects.exists()

    @pytest.mark.parametrize("credential", HOSTILE)
    def test_refuses_what_is_none(self, client: Client, credential: str) -> None:
        client.get(ADDRESS)

        page = client.post(ADDRESS, {"credential": credential}, follow=True)

        assert page.redirect_chain[0][0] == "/sign-in/"
        assert "This passkey was not accepted." in text(page)
        assert AttemptCount.objects.get(kind=AttemptCount.Kind.STRANGERS).count == 1

    @pytest.mark.parametrize("challenge", ["", "{}", '{"challenge": "x"}:forged'])
    def test_refuses_an_answer_to_no_challenge_of_ours(self, client: Client, challenge: str) -> None:
        client.cookies["passkey_challenge"] = challenge

        assert client.post(ADDRESS, {"credential": "{}"})["Location"] == "/sign-in/"


class TestAddingAPasskey:
    @pytest.mark.parametrize("credential", HOSTILE)
    def test_refuses_what_is_none(self, credential: str) -> None:
        client = signed_in(person())
        client.get("/second-factor/passkeys/add/")
        form = {"credential": credential, "name": "Laptop", "password": PASSWORD}

        assert client.post("/second-factor/passkeys/add/", form).status_code == 422

    def test_needs_the_password(self) -> None:
        form = {"credential": '{"id": "x"}', "name": "Laptop", "password": "guessed"}

        answer = signed_in(person()).post("/second-factor/passkeys/add/", form)

        assert (answer.status_code, "This is not your password." in text(answer)) == (422, True)
