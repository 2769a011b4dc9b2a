"""Everybody changes their own password, and nobody else's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.staff.credentials import ATTEMPTS_EACH
from governance.staff.hashing import FOR_KNOWN
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import PASSWORD, person
from tests.review.pages import text
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db

NEW = "another long passphrase"


def change(client: Client, *, present: str = PASSWORD, new: str = NEW, again: str | None = None) -> int:
    form = {"present": present, "new": new, "again": new if again is None else again}
    return client.post(reverse("password"), form).status_code


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mira() -> User:
    return person("Mira Okafor")


class TestChangingThePassword:
    @pytest.mark.parametrize("role", Role)
    def test_is_for_everybody_and_in_the_menu_of_every_page(self, role: Role) -> None:
        client = signed_in(person(role=role))

        assert 'href="/password/"' in text(client.get("/queue/", follow=True))
        assert change(client) == 302

    def test_needs_the_present_one(self, mira: User) -> None:
        client = signed_in(mira)

        assert change(client, present="guessed") == 422
        assert change(client, present="") == 422

        mira.refresh_from_db()
        assert mira.check_password(PASSWORD)

    @pytest.mark.parametrize(
        ("new", "again"), [("short", None), ("passwordpassword", "other"), ("mira okafor", None), ("x" * 9_999, None)]
    )
    def test_to_a_bad_one_is_refused(self, mira: User, new: str, again: str | None) -> None:
        assert change(signed_in(mira), new=new, again=again) == 422

    def test_keeps_this_session_and_ends_the_others(self, mira: User) -> None:
        here, elsewhere = signed_in(mira), signed_in(mira)

        change(here)

        assert here.get("/queue/").status_code == 200
        assert elsewhere.get("/queue/").status_code == 302

    def test_lets_nobody_sign_in_with_the_old_one(self, mira: User, client: Client) -> None:
        change(signed_in(mira))

        tried = [client.post("/sign-in/", {"username": mira.email, "password": one}) for one in (PASSWORD, NEW)]
        assert [one.status_code for one in tried] == [422, 302]

    def test_leaves_an_entry_without_any_password(self, mira: User) -> None:
        client = signed_in(mira)
        change(client, present="guessed")
        change(client)

        refused, changed = Entry.objects.filter(subject_kind="user", verb__contains="password").order_by("number")
        assert (refused.verb, changed.verb) == ("user.password_refused", "user.password_changed")
        assert (changed.actor_id, changed.subject_id) == (str(mira.pk), str(mira.pk))
        assert not any(word in str((refused.details, changed.details)) for word in ("guessed", NEW, PASSWORD))
        assert not any(iter_chain_checks())

    def test_is_tried_a_few_times_in_a_quarter_of_an_hour(self, mira: User) -> None:
        client = signed_in(mira)

        assert [change(client, present="guessed") for _ in range(ATTEMPTS_EACH)] == [422] * ATTEMPTS_EACH
        assert change(client) == 429

    def test_is_tried_later_where_many_are_hashed_at_the_moment(
        self, mira: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.staff.hashing.PATIENCE", 0.01)

        with FOR_KNOWN.slot():
            assert change(signed_in(mira)) == 429

        mira.refresh_from_db()
        assert mira.check_password(PASSWORD)

    @pytest.mark.parametrize("page", ["password_change", "password_change_done"])
    def test_in_the_admin_is_the_same_page(self, page: str) -> None:
        client = signed_in(person(role=Role.ADMIN))

        for method in ("get", "post"):
            assert getattr(client, method)(reverse(f"admin:{page}"))["Location"] == reverse("password")


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_the_later_one_is_told() -> None:
    """Otherwise whoever knew the old password would end up with the account."""
    mira = person("Mira Okafor")
    here, elsewhere = signed_in(mira), signed_in(mira)

    def change_elsewhere() -> int:
        try:
            return change(elsewhere, new="a passphrase of somebody else")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = change(here)
            other = pool.submit(change_elsewhere)
            wait_until(waits_for_a_lock, "the other waits")
        second = other.result()

    mira.refresh_from_db()
    assert (first, second) == (302, 422)
    assert mira.check_password(NEW)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone() != (0,))
