"""How long a session lasts, what ends it, and the page on which people see and end theirs."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.staff.actions import change_role
from governance.staff.models import StaffSession, User
from governance.staff.roles import Role
from tests.factories import NOW, PASSWORD, person
from tests.review.pages import by_htmx, signed_in, text

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def mira() -> User:
    return person()


def by_form(user: User, *, browser: str = FIREFOX, at: str = "203.0.113.7") -> Client:
    client = Client(headers={"User-Agent": browser}, REMOTE_ADDR=at)
    assert client.post("/sign-in/", {"username": user.email, "password": PASSWORD}).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/words/").status_code == 200


def end_entries() -> list[Entry]:
    return list(Entry.objects.filter(verb=Verb.USER_SESSIONS_ENDED).order_by("number"))


class TestASession:
    def test_ends_when_it_was_not_used_for_half_an_hour(self, mira: User) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            clock.shift(timedelta(minutes=29))
            assert is_signed_in(client)
            clock.shift(timedelta(minutes=29))
            assert is_signed_in(client)

            clock.shift(timedelta(minutes=31))

            assert not is_signed_in(client)
            assert "ended=1" in client.get("/queue/")["Location"]

    def test_ends_after_twelve_hours_in_any_case(self, mira: User) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            for _ in range(12 * 60 // 20 - 1):
                clock.shift(timedelta(minutes=20))
                assert is_signed_in(client)

            clock.shift(timedelta(minutes=21))

            assert not is_signed_in(client)

    def test_lasts_as_long_as_before_after_a_change_of_the_password(self, mira: User) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            clock.shift(timedelta(minutes=20))
            form = {"present": PASSWORD, "new": "another long passphrase", "again": "another long passphrase"}
            assert client.post(reverse("password"), form).status_code == 302

        assert StaffSession.objects.get(user=mira).started_at == BEGIN
        assert Entry.objects.filter(verb=Verb.USER_PASSWORD_CHANGED).count() == 1

    def test_is_as_long_as_the_settings_say(self, mira: User, settings: pytest.FixtureRequest) -> None:
        settings.SESSION_IDLE_MINUTES = 5  # type: ignore[attr-defined]
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            clock.shift(timedelta(minutes=6))

            assert not is_signed_in(client)

    def test_of_which_nobody_knows_since_when_it_lasts_has_ended(self, mira: User) -> None:
        client = signed_in(mira)
        StaffSession.objects.all().delete()

        assert not is_signed_in(client)

    def test_ends_with_another_role(self, mira: User) -> None:
        client = signed_in(mira)

        change_role(mira, Role.LEAD, by=person(role=Role.ADMIN), now=NOW)

        assert not is_signed_in(client)
        assert not StaffSession.objects.filter(user=mira).exists()


class TestAPoll:
    def test_keeps_no_session_going(self, mira: User) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            for _ in range(3):
                clock.shift(timedelta(minutes=9))
                assert client.get("/inbox/", headers=by_htmx("inbox-count")).status_code == 200

            clock.shift(timedelta(minutes=9))
            ended = client.get("/inbox/", headers=by_htmx("inbox-count"))

        assert (ended.status_code, ended["X-Sign-In"]) == (204, "/sign-in/?next=%2Fqueue%2F&ended=1")

    def test_of_a_page_on_which_somebody_types_does(self, mira: User) -> None:
        used = by_htmx("inbox-count") | {"X-Stillwatch-Used": "true"}
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            for _ in range(5):
                clock.shift(timedelta(minutes=9))

                assert client.get("/inbox/", headers=used).status_code == 200


class TestTheUseOfASession:
    def test_is_written_down_once_a_minute(self, mira: User) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            client = signed_in(mira)
            clock.shift(timedelta(seconds=59))
            client.get("/words/")
            before = StaffSession.objects.get().last_used_at
            clock.shift(timedelta(seconds=1))
            client.get("/words/")

        assert before == BEGIN
        assert StaffSession.objects.get().last_used_at == BEGIN + timedelta(minutes=1)


class TestTheirPage:
    def test_shows_ones_own_in_plain_words_and_is_in_the_menu(self, mira: User) -> None:
        desk = by_form(mira)
        by_form(mira, browser=SAFARI, at="2001:db8::7")
        by_form(person(), browser="curl/8.0", at="192.0.2.99")

        page = text(desk.get("/sessions/"))

        assert "Firefox on Linux" in page
        assert "Safari on iPhone" in page
        assert "203.0.113.7" in page
        assert "2001:db8::7" in page
        assert "192.0.2.99" not in page
        assert 'href="/sessions/"' in text(desk.get("/words/"))

    def test_ends_one(self, mira: User) -> None:
        desk, lost, other = by_form(mira), by_form(mira, browser=SAFARI), by_form(mira)
        pk = StaffSession.objects.get(browser="Safari on iPhone").pk

        for _ in range(2):
            assert desk.post(f"/sessions/{pk}/end/").status_code == 302

        assert [is_signed_in(client) for client in (desk, lost, other)] == [True, False, True]
        (entry,) = end_entries()
        assert (entry.actor_id, entry.subject_id, entry.details) == (str(mira.pk), str(mira.pk), {"sessions": 1})

    def test_ends_all_others(self, mira: User) -> None:
        desk, others, jonas = by_form(mira), [by_form(mira), by_form(mira)], by_form(person())

        desk.post("/sessions/end-others/")

        assert [is_signed_in(client) for client in (desk, *others, jonas)] == [True, False, False, True]
        (entry,) = end_entries()
        assert entry.details == {"sessions": 2}

    def test_ends_nobody_elses(self, mira: User) -> None:
        jonas = by_form(person())
        pk = StaffSession.objects.get().pk

        signed_in(mira).post(f"/sessions/{pk}/end/")

        assert is_signed_in(jonas)
        assert not end_entries()

    def test_leaves_out_those_that_ended_by_themselves(self, mira: User) -> None:
        with time_machine.travel(BEGIN, tick=False) as clock:
            by_form(mira, browser=SAFARI)
            clock.shift(timedelta(minutes=31))

            assert "iPhone" not in text(by_form(mira).get("/sessions/"))


class TestAnAdmin:
    def test_ends_all_of_somebody(self, mira: User) -> None:
        ada, clients = signed_in(admin := person("Ada Moreau", role=Role.ADMIN)), [by_form(mira), by_form(mira)]
        assert "End 2 sessions" in text(ada.get("/settings/users/"))

        page = text(ada.post(f"/settings/users/{mira.pk}/end-sessions/", follow=True))

        assert "Mira Okafor: 2 sessions ended." in page
        assert not any(map(is_signed_in, clients))
        (entry,) = end_entries()
        assert (entry.actor_id, entry.subject_id) == (str(admin.pk), str(mira.pk))
