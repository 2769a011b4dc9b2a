"""Signing in with a password and a code, and how people add and remove what makes the codes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.staff.actions import shut_out_user
from governance.staff.credentials import ATTEMPTS_EACH
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import MACHINE, NOW, PASSWORD, person
from tests.review.pages import signed_in, text
from tests.staff.second_factors import current_code, with_app

pytestmark = pytest.mark.django_db

CODE = "/sign-in/code/"
HOME, ELSEWHERE = "203.0.113.7", "192.0.2.66"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """So that no half minute ends amid a test."""
    with time_machine.travel(datetime(2026, 11, 28, 9, 1, 10, tzinfo=UTC), tick=False) as travelling:
        yield travelling


@pytest.fixture
def mira() -> User:
    return person()


def enter_password(client: Client, user: User, *, leads_to: str = "", at: str = HOME) -> str:
    form = {"username": user.email, "password": PASSWORD, "next": leads_to}
    return client.post("/sign-in/", form, REMOTE_ADDR=at)["Location"]


def enter_code(client: Client, code: str, *, at: str = HOME) -> int:
    return client.post(CODE, {"code": code}, REMOTE_ADDR=at).status_code


def is_signed_in(client: Client) -> bool:
    return client.get("/words/").status_code == 200


def entries(verb: Verb) -> list[Entry]:
    return list(Entry.objects.filter(verb=verb).order_by("number"))


class TestSigningInWithASecondFactor:
    def test_takes_a_code_after_the_password(self, client: Client, mira: User) -> None:
        secret, _ = with_app(mira)

        assert enter_password(client, mira, leads_to="/queue/?view=mine") == CODE
        assert not is_signed_in(client)
        assert not entries(Verb.SIGN_IN_SUCCEEDED)

        response = client.post(CODE, {"code": current_code(secret)})

        assert response["Location"] == "/queue/?view=mine"
        assert is_signed_in(client)
        assert [entry.details for entry in entries(Verb.SIGN_IN_SUCCEEDED)] == [{"factor": "totp"}]

    def test_takes_it_with_blanks_and_half_a_minute_late(self, client: Client, mira: User) -> None:
        secret, _ = with_app(mira)
        enter_password(client, mira)
        code = current_code(secret, later=-1)

        assert enter_code(client, f" {code[:3]} {code[3:]} ") == 302
        assert is_signed_in(client)

    @pytest.mark.parametrize("code", ["", "12345", "abcdef", "٣٣٣٣٣٣", "0" * 21])
    def test_refuses_what_is_no_code(self, client: Client, mira: User, code: str) -> None:
        with_app(mira)
        enter_password(client, mira)

        assert enter_code(client, code) == 422
        assert not is_signed_in(client)

    def test_takes_a_recovery_code_once(self, client: Client, mira: User) -> None:
        _, codes = with_app(mira)
        enter_password(client, mira)
        assert enter_code(client, codes[3]) == 302
        assert [entry.details for entry in entries(Verb.SIGN_IN_SUCCEEDED)] == [{"factor": "recovery_codes"}]

        again = Client()
        enter_password(again, mira)

        assert enter_code(again, codes[3]) == 422
        assert enter_code(again, codes[4]) == 302

    @pytest.mark.parametrize("minute", [1, 14], ids=["amid a period", "at the end of a period"])
    def test_takes_a_code_of_the_app_once_also_in_another_process(
        self, mira: User, clock: time_machine.Traveller, minute: int
    ) -> None:
        clock.move_to(datetime(2026, 11, 28, 9, minute, 50, tzinfo=UTC))
        secret, _ = with_app(mira)
        code, first, second = current_code(secret), Client(), Client()
        enter_password(first, mira)
        assert enter_code(first, code) == 302
        cache.clear()  # which each process has for itself
        clock.shift(timedelta(seconds=25))
        enter_password(second, mira)

        assert enter_code(second, code) == 422

    def test_leaves_an_entry_for_a_wrong_code(self, client: Client, mira: User) -> None:
        with_app(mira)
        enter_password(client, mira)

        enter_code(client, "000000")

        assert [entry.subject_id for entry in entries(Verb.USER_FACTOR_REFUSED)] == [str(mira.pk)]

    def test_by_the_code_alone_is_nothing(self, client: Client, mira: User) -> None:
        secret, _ = with_app(mira)

        response = client.post(CODE, {"code": current_code(secret)})

        assert response["Location"] == "/sign-in/"
        assert client.get(CODE)["Location"] == "/sign-in/"

    def test_waits_ten_minutes_for_the_code(self, client: Client, mira: User, clock: time_machine.Traveller) -> None:
        secret, _ = with_app(mira)
        enter_password(client, mira)
        clock.shift(timedelta(minutes=10))

        client.post(CODE, {"code": current_code(secret)})

        assert not is_signed_in(client)

    def test_forgets_the_password_of_somebody_shut_out_meanwhile(self, client: Client, mira: User) -> None:
        secret, _ = with_app(mira)
        enter_password(client, mira)
        shut_out_user(mira, by=MACHINE, now=NOW)

        client.post(CODE, {"code": current_code(secret)})

        assert not is_signed_in(client)

    def test_is_asked_of_nobody_without_one(self, client: Client, mira: User) -> None:
        with_app(person("Jonas Lindqvist"))

        assert enter_password(client, mira) == "/"
        assert [entry.details for entry in entries(Verb.SIGN_IN_SUCCEEDED)] == [{}]

    def test_leads_to_no_other_site(self, client: Client, mira: User) -> None:
        secret, _ = with_app(mira)
        enter_password(client, mira, leads_to="https://evil.example/")

        assert client.post(CODE, {"code": current_code(secret)})["Location"] == "/"


class TestGuessingCodes:
    def test_is_limited_and_keeps_the_user_out_of_no_device_of_theirs(self, mira: User) -> None:
        secret, _ = with_app(mira)
        own, thief = Client(), Client()
        enter_password(own, mira, at=HOME)
        enter_code(own, current_code(secret), at=HOME)
        own.post("/sign-out/")

        enter_password(thief, mira, at=ELSEWHERE)
        tried = [enter_code(thief, "000000", at=ELSEWHERE) for _ in range(ATTEMPTS_EACH + 1)]

        assert tried == [422] * ATTEMPTS_EACH + [429]
        assert enter_code(thief, current_code(secret, later=1), at=ELSEWHERE) == 429
        enter_password(own, mira, at=HOME)
        assert enter_code(own, current_code(secret, later=1), at=HOME) == 302

    def test_is_limited_over_new_sessions_too(self, mira: User) -> None:
        with_app(mira)
        answers = []
        for _ in range(ATTEMPTS_EACH + 1):
            thief = Client()
            thief.post("/sign-in/", {"username": mira.email, "password": PASSWORD}, REMOTE_ADDR=ELSEWHERE)
            answers.append(enter_code(thief, "000000", at=ELSEWHERE))

        assert answers[:ATTEMPTS_EACH] == [422] * ATTEMPTS_EACH
        assert answers[-1] != 422


def secret_on(page: str) -> str:
    found = re.search(r"Key <code[^>]*>([A-Z2-7]+)</code>", page)
    assert found
    return found[1]


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code[^>]*>(\d+)</code></li>", page)


class TestAddingAnApp:
    def test_takes_a_code_and_the_password_and_shows_recovery_codes_once(self, mira: User) -> None:
        client = signed_in(mira)
        assert 'href="/second-factor/"' in text(client.get("/words/"))
        page = text(client.get("/second-factor/add/"))
        assert 'src="data:image/svg+xml;base64,' in page

        form = {"code": current_code(secret_on(page)), "password": PASSWORD}
        answer = client.post("/second-factor/add/", form)

        assert len(codes_on(text(answer))) == 10
        assert "no-store" in answer["Cache-Control"]
        assert codes_on(text(client.get("/second-factor/"))) == []
        assert [entry.details for entry in entries(Verb.USER_FACTOR_ADDED)] == [{"factor": "totp"}]
        assert enter_password(Client(), mira) == CODE

    @pytest.mark.parametrize(
        ("code", "password"), [("000000", PASSWORD), (None, "guessed"), (None, ""), ("", PASSWORD)]
    )
    def test_needs_both(self, mira: User, code: str | None, password: str) -> None:
        client = signed_in(mira)
        secret = secret_on(text(client.get("/second-factor/add/")))
        right = current_code(secret)

        answer = client.post("/second-factor/add/", {"code": right if code is None else code, "password": password})

        assert answer.status_code == 422
        assert secret_on(text(answer)) == secret  # which the app has read already
        assert not Authenticator.objects.exists()

    def test_is_done_once(self, mira: User) -> None:
        with_app(mira)
        client = signed_in(mira)
        secret = secret_on(text(client.get("/second-factor/add/")))

        answer = client.post("/second-factor/add/", {"code": current_code(secret), "password": PASSWORD})

        assert "You have added an authenticator app already." in text(answer)

    def test_stores_no_secret_that_can_be_read(self, mira: User) -> None:
        secret, codes = with_app(mira)

        stored = str(list(Authenticator.objects.values_list("data", flat=True)))

        assert not [one for one in (secret, *codes) if one in stored]


class TestTheirSecondFactor:
    def test_has_its_recovery_codes_replaced(self, mira: User) -> None:
        _, before = with_app(mira)
        client = signed_in(mira)
        assert client.post("/second-factor/codes/", {"password": "guessed"}).status_code == 422

        after = codes_on(text(client.post("/second-factor/codes/", {"password": PASSWORD})))

        assert not set(before) & set(after)
        assert len(entries(Verb.USER_RECOVERY_CODES_MADE)) == 1
        again = Client()
        enter_password(again, mira)
        assert (enter_code(again, before[0]), enter_code(again, after[0])) == (422, 302)

    def test_is_removed_with_the_password(self, mira: User) -> None:
        with_app(mira)
        client = signed_in(mira)
        assert client.post("/second-factor/remove/", {"password": "guessed"}).status_code == 422
        assert Authenticator.objects.count() == 2

        client.post("/second-factor/remove/", {"password": PASSWORD})

        assert not Authenticator.objects.exists()
        assert [entry.actor_id for entry in entries(Verb.USER_FACTOR_REMOVED)] == [str(mira.pk)]
        assert enter_password(Client(), mira) == "/"


class TestALostDevice:
    def test_is_forgotten_by_an_admin(self, mira: User) -> None:
        ada = person("Ada Moreau", role=Role.ADMIN)
        with_app(mira)
        client = signed_in(ada)
        assert "Remove second factor" in text(client.get("/settings/users/"))

        page = text(client.post(f"/settings/users/{mira.pk}/remove-factor/", follow=True))

        assert "Mira Okafor: second factor removed." in page
        assert "Remove second factor" not in page
        (entry,) = entries(Verb.USER_FACTOR_REMOVED)
        assert (entry.actor_id, entry.subject_id) == (str(ada.pk), str(mira.pk))
        assert enter_password(Client(), mira) == "/"

    def test_of_the_only_admin_is_forgotten_in_a_shell(self) -> None:
        ada, said = person("Ada Moreau", role=Role.ADMIN), StringIO()
        with_app(ada)

        call_command("remove_second_factor", ada.email.upper(), stdout=said)

        assert said.getvalue() == "Ada Moreau signs in with the password alone now.\n"
        assert not Authenticator.objects.exists()
        with pytest.raises(CommandError, match="No member of staff"):
            call_command("remove_second_factor", "nobody@example.com")
