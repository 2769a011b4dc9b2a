"""Who, what and when: the lists of the admin can be narrowed to it, and say that their times are UTC."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import MACHINE, NOW, person
from tests.review.pages import signed_in, text

pytestmark = pytest.mark.django_db

LOG = "/admin/audit/entry/"


@pytest.fixture
def ines() -> Client:
    return signed_in(person("Ines Varga", role=Role.AUDITOR))


@pytest.fixture
def mira() -> User:
    return person("Mira Okafor")


def noted(by: User, note: str, *, days_ago: float = 0) -> None:
    with transaction.atomic():
        at = NOW - timedelta(days=days_ago)
        record(Verb.CASE_NOTED, subject=("case", note), by=by.actor, now=at, details={"note": note})


def shown(client: Client, query: str) -> list[str]:
    """Which of the notes are listed."""
    page = text(client.get(f"{LOG}?{query}", follow=True))
    return [note for note in ("first-note", "second-note", "third-note") if note in page]


class TestTheLog:
    @pytest.fixture(autouse=True)
    def _entries(self, mira: User) -> None:
        jonas = person("Jonas Lindqvist", role=Role.LEAD)
        noted(mira, "first-note", days_ago=3)
        noted(jonas, "second-note", days_ago=1)
        noted(mira, "third-note")

    def test_is_narrowed_to_who(self, ines: Client, mira: User) -> None:
        assert shown(ines, f"who=staff:{mira.pk}") == ["first-note", "third-note"]
        assert shown(ines, f"who=system:{MACHINE.id}") == []
        assert "Mira Okafor (staff)" in text(ines.get(LOG))

    def test_is_narrowed_to_what(self, ines: Client) -> None:
        assert shown(ines, "verb=case.noted") == ["first-note", "second-note", "third-note"]
        assert shown(ines, "verb=user.added") == []

    @pytest.mark.parametrize(
        ("query", "notes"),
        [
            ("at_from=2026-11-01", ["second-note", "third-note"]),
            ("at_to=2026-11-01", ["first-note", "second-note"]),
            ("at_from=2026-11-01&at_to=2026-11-01", ["second-note"]),
            ("at_from=&at_to=", ["first-note", "second-note", "third-note"]),
            ("at_from=yesterday", ["first-note", "second-note", "third-note"]),
        ],
    )
    def test_is_narrowed_to_when(self, ines: Client, query: str, notes: list[str]) -> None:
        assert shown(ines, query) == notes

    def test_is_narrowed_to_all_at_once(self, ines: Client, mira: User) -> None:
        query = f"who=staff:{mira.pk}&verb=case.noted&at_from=2026-11-02"

        assert shown(ines, query) == ["third-note"]
        page = text(ines.get(f"{LOG}?{query}"))
        assert f'<input type="hidden" name="who" value="staff:{mira.pk}">' in page, "another filter is lost"

    def test_says_utc(self, ines: Client) -> None:
        assert "2 Nov 2026, 09:14:00 UTC" in text(ines.get(LOG))

    def test_finds_who_there_is_without_reading_every_entry(self, ines: Client) -> None:
        with CaptureQueriesContext(connection) as queries:
            ines.get(LOG)

        [sql] = [query["sql"] for query in queries if "RECURSIVE" in query["sql"]]
        assert "LIMIT 1" in sql


@pytest.mark.parametrize("address", ["review/step", "review/decision", "restrictions/change", "policies/policyoutcome"])
def test_other_lists_are_narrowed_to_when(ines: Client, address: str) -> None:
    name = "decided_at" if address.endswith("decision") else "at"

    page = ines.get(f"/admin/{address}/?{name}_from=2026-11-01&{name}_to=2026-11-02")

    assert page.status_code == 200
    assert f'name="{name}_from" value="2026-11-01"' in text(page)


def test_the_filters_open_by_a_button(ines: Client) -> None:
    page = text(ines.get(LOG))

    assert '<button type="button"' in page
    assert '<main id="main"' in page
    assert '<nav aria-label="Tables">' in page
