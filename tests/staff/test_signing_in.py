import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.staff.actions import shut_out_user
from governance.staff.client_address import get_network
from governance.staff.credentials import (
    ATTEMPTS_AT_A_PERSON,
    ATTEMPTS_EACH,
    ATTEMPTS_OF_A_NETWORK,
    record_unknown_origin_failures,
)
from governance.staff.models import AttemptCount, User
from tests.factories import MACHINE, NOW, PASSWORD, person
from tests.waiting import PATIENCE, wait_until

HOME, OFFICE, ELSEWHERE = "203.0.113.7", "198.51.100.20", "192.0.2.66"


@pytest.fixture(autouse=True)
def _the_clock_stands() -> Iterator[None]:
    """So that no quarter of an hour ends amid a test."""
    with time_machine.travel(datetime(2026, 11, 28, 9, 1, tzinfo=UTC), tick=False):
        yield


def sign_in(client: Client, email: str, password: str = PASSWORD, *, at: str = HOME) -> int:
    return client.post("/sign-in/", {"username": email, "password": password}, REMOTE_ADDR=at).status_code


def verbs() -> list[str]:
    return list(Entry.objects.filter(verb__startswith="sign_in").order_by("number").values_list("verb", flat=True))


@pytest.fixture
def mira(db: None) -> User:
    return person("Mira Okafor")


class TestSigningIn:
    def test_leads_to_the_overview(self, client: Client, mira: User) -> None:
        response = client.post("/sign-in/", {"username": mira.email, "password": PASSWORD})

        assert response["Location"] == "/"

    def test_ignores_the_case_of_the_address(self, client: Client, mira: User) -> None:
        assert sign_in(client, mira.email.upper()) == 302

    def test_leaves_an_entry(self, client: Client, mira: User) -> None:
        sign_in(client, mira.email)

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.actor_name, entry.subject_id) == ("sign_in.succeeded", "Mira Okafor", mira.email)

    def test_out_without_having_signed_in_leaves_nothing(self, client: Client, mira: User) -> None:
        answer = client.post("/sign-out/")

        assert answer["Location"].startswith("/sign-in/")
        assert "signed_out" not in answer.cookies
        assert verbs() == []

    def test_ends_at_once_for_somebody_who_is_shut_out(self, client: Client, mira: User) -> None:
        sign_in(client, mira.email)

        shut_out_user(mira, by=MACHINE, now=NOW)

        assert client.get("/queue/")["Location"].startswith("/sign-in/")
        assert sign_in(client, mira.email) == 422

    def test_is_refused_to_somebody_inactive(self, client: Client, mira: User) -> None:
        User.objects.update(is_active=False)

        assert sign_in(client, mira.email) == 422

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        "email",
        [
            "ß" * 254,
            "İ" * 254,
            "ß@" + "ß" * 200 + ".de",
            "a" * 9_999 + "@example.com",
            "\0",
            "ﬃ" * 90 + "@example.com",
            "",
        ],
    )
    def test_with_what_is_no_address_is_422(self, client: Client, email: str) -> None:
        assert sign_in(client, email) == 422

    def test_with_an_endless_password_is_422(self, client: Client, mira: User) -> None:
        assert sign_in(client, mira.email, "x" * 100_000) == 422


class TestFailures:
    def test_say_the_same_whether_somebody_has_the_address(self, client: Client, mira: User) -> None:
        pages = []
        for email in (mira.email, "nobody@example.com"):
            for _ in range(ATTEMPTS_EACH + 1):
                page = client.post("/sign-in/", {"username": email, "password": "guessed"}, REMOTE_ADDR=HOME)
                pages.append((email, page.status_code, page.content.decode().replace(email, "…")))

        def answers(email: str) -> list[tuple[int, bool, bool]]:
            return [(status, "Too many events" in text, "correct" in text) for of, status, text in pages if of == email]

        assert answers(mira.email) == answers("nobody@example.com")
        assert [status for status, _, _ in answers(mira.email)] == [422] * ATTEMPTS_EACH + [429]

    def test_of_a_network_wait_even_with_the_right_password(self, client: Client, mira: User) -> None:
        for _ in range(ATTEMPTS_EACH):
            sign_in(client, mira.email, "guessed", at=ELSEWHERE)

        response = client.post("/sign-in/", {"username": mira.email, "password": PASSWORD}, REMOTE_ADDR=ELSEWHERE)

        assert (response.status_code, response["Retry-After"]) == (429, "900")
        assert "Too many attempts" in response.content.decode()

    def test_lock_nobody_out_of_another_network(self, client: Client, mira: User) -> None:
        for _ in range(ATTEMPTS_EACH + 1):
            sign_in(client, mira.email, "guessed", at=ELSEWHERE)

        assert sign_in(client, mira.email, at=HOME) == 302

    def test_from_everywhere_lock_nobody_out_of_a_network_they_used(self, client: Client, mira: User) -> None:
        sign_in(Client(), mira.email, at=HOME)
        guess_from_everywhere(mira)

        assert sign_in(client, mira.email, at=OFFICE) == 429
        assert sign_in(client, mira.email, at=HOME) == 302

    def test_from_everywhere_lock_nobody_out_of_a_device_they_used(self, client: Client, mira: User) -> None:
        sign_in(client, mira.email, at=HOME)
        client.post("/sign-out/")
        guess_from_everywhere(mira)
        for _ in range(ATTEMPTS_EACH + 1):
            sign_in(Client(), mira.email, "guessed", at=HOME)

        assert sign_in(client, mira.email, at=OFFICE) == 302

    def test_at_a_device_are_limited_too(self, client: Client, mira: User) -> None:
        sign_in(client, mira.email, at=HOME)
        client.post("/sign-out/")

        assert [sign_in(client, mira.email, "guessed") for _ in range(ATTEMPTS_EACH + 1)][-2:] == [422, 429]

    def test_of_one_network_at_many_people_are_limited(self, client: Client, mira: User) -> None:
        for number in range(ATTEMPTS_OF_A_NETWORK):
            sign_in(client, f"somebody{number}@example.com", "guessed", at=ELSEWHERE)

        assert sign_in(client, mira.email, at=ELSEWHERE) == 429

    def test_end_to_count_after_a_quarter_of_an_hour(self, client: Client, mira: User) -> None:
        for _ in range(ATTEMPTS_EACH + 1):
            sign_in(client, mira.email, "guessed")

        with time_machine.travel(timezone.now() + timedelta(minutes=15)):
            assert sign_in(client, mira.email) == 302

    def test_count_no_success(self, client: Client, mira: User) -> None:
        assert [sign_in(Client(), mira.email) for _ in range(2 * ATTEMPTS_EACH)] == [302] * 2 * ATTEMPTS_EACH

    def test_behind_a_proxy_are_counted_by_the_address_that_it_saw(
        self, client: Client, mira: User, settings: Any
    ) -> None:
        settings.PROXIES = 1
        for made_up in range(ATTEMPTS_EACH):
            form = {"username": mira.email, "password": "guessed"}
            client.post("/sign-in/", form, HTTP_X_FORWARDED_FOR=f"10.{made_up}.0.1, {ELSEWHERE}")

        form = {"username": mira.email, "password": PASSWORD}
        assert client.post("/sign-in/", form, HTTP_X_FORWARDED_FOR=ELSEWHERE).status_code == 429
        assert client.post("/sign-in/", form, HTTP_X_FORWARDED_FOR=HOME).status_code == 302


class TestTheLog:
    def test_counts_failures_of_strangers_once_an_hour_with_their_networks(self, client: Client, mira: User) -> None:
        for address in (ELSEWHERE, ELSEWHERE, OFFICE):
            sign_in(client, "secret typed here@example.com", "guessed", at=address)
            sign_in(client, "nobody@example.com", "guessed", at=address)

        assert (verbs(), record_unknown_origin_failures(now=timezone.now())) == ([], 0)
        later = timezone.now() + timedelta(hours=1)
        assert (record_unknown_origin_failures(now=later), record_unknown_origin_failures(now=later)) == (1, 0)

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.details["attempts"]) == ("sign_in.strangers_failed", 3)
        assert entry.details["networks"] == {"192.0.2.0/24": 2, "198.51.100.0/24": 1}
        assert "guessed" not in str(entry.details)
        assert not AttemptCount.objects.exists()

    def test_has_an_entry_for_each_failure_where_somebody_signed_in_before(self, client: Client, mira: User) -> None:
        sign_in(client, mira.email, at=HOME)
        for _ in range(ATTEMPTS_EACH + 5):
            sign_in(Client(), mira.email, "guessed", at=HOME)

        assert verbs() == ["sign_in.succeeded"] + ["sign_in.failed"] * ATTEMPTS_EACH
        assert Entry.objects.latest("number").details == {"network": "203.0.113.0/24"}


class BlockedHasher(MD5PasswordHasher):
    """Hashes only when it is let, and says who waits in it and whether they hold a connection to the database."""

    algorithm = "blocked"
    let = threading.Event()
    at_work = threading.Semaphore(0)
    lock = threading.Lock()
    working = most_at_once = hashed = 0
    connected: list[bool] = []

    def encode(self, password: str, salt: str) -> str:
        cls = BlockedHasher
        with cls.lock:
            cls.working += 1
            cls.hashed += 1
            cls.most_at_once = max(cls.most_at_once, cls.working)
            cls.connected.append(connection.connection is not None)
        cls.let.wait(PATIENCE)
        with cls.lock:
            cls.working -= 1
        return super().encode(password, salt)


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    @pytest.fixture(autouse=True)
    def _hashing_takes_long(self, settings: Any) -> Iterator[None]:
        cls = BlockedHasher
        cls.let.set()
        settings.PASSWORD_HASHERS = [f"{__name__}.BlockedHasher"]
        cls.working = cls.most_at_once = cls.hashed = 0
        cls.connected = []
        yield
        cls.let.set()

    def all_at_once(self, attempts: list[tuple[str, str]]) -> list[int]:
        def attempt(email: str, address: str) -> int:
            try:
                return sign_in(Client(), email, "guessed", at=address)
            finally:
                connections.close_all()

        BlockedHasher.let.clear()
        BlockedHasher.connected.clear()
        BlockedHasher.hashed = BlockedHasher.most_at_once = 0
        with ThreadPoolExecutor(len(attempts)) as pool:
            answers = [pool.submit(attempt, *one) for one in attempts]
            wait_until(lambda: BlockedHasher.working > 0, "the first hashes")
            wait_until(lambda: sum(one.done() for one in answers) >= len(attempts) - 9, "others are turned away")
            BlockedHasher.let.set()
            return [one.result() for one in answers]

    def test_hash_one_after_another_and_hold_no_connection(self) -> None:
        statuses = self.all_at_once([(f"p{n}@example.com", f"10.0.{n}.1") for n in range(30)])

        assert BlockedHasher.most_at_once == 1
        assert BlockedHasher.connected == [False] * BlockedHasher.hashed
        assert sorted(set(statuses)) == [422, 429]

    def test_are_counted_before_the_first_is_tried(self) -> None:
        mira = person("Mira Okafor")

        statuses = self.all_at_once([(mira.email, ELSEWHERE)] * 40)

        assert BlockedHasher.hashed <= ATTEMPTS_EACH
        assert statuses.count(429) >= 40 - ATTEMPTS_EACH


def guess_from_everywhere(somebody: User) -> None:
    for number in range(ATTEMPTS_AT_A_PERSON):
        sign_in(Client(), somebody.email, "guessed", at=f"10.{number}.0.1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:2ff::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_addresses_count_by_network(address: str, network: str) -> None:
    assert get_network(address) == network
