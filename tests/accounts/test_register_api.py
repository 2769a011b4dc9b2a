"""The register over the API: what `import_accounts` reads, a list at a time."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, ApiKey, Licence
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from tests.factories import account, api_key, service_key

pytestmark = pytest.mark.django_db

LINE = {
    "account": "acct_harbour",
    "organisation": "org_quay",
    "plan": "team",
    "keys": [{"id": "key_1"}],
    "licence": {"training_permitted": True, "reference": "C-18"},
}


class Registrar:
    """Registers with one service key."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.key, self.known = service_key("register:write", name="crm")

    def send(self, *lines: Any, **headers: str) -> Any:
        sent = {"accounts": list(lines)}
        return self.client.post(
            "/api/v1/register", sent, content_type="application/json", headers=headers, **self.known
        )


@pytest.fixture
def registrar(client: Client) -> Registrar:
    return Registrar(client)


def test_adds_accounts_with_their_keys_and_licences(registrar: Registrar) -> None:
    answer = registrar.send(LINE)

    assert answer.status_code == 200
    assert answer.json() == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "rejections": [],
        "notes": [],
    }
    harbour = Account.objects.get()
    assert (harbour.external_id, harbour.plan, str(harbour.organisation)) == ("acct_harbour", "team", "org_quay")
    assert ApiKey.objects.get().account == harbour
    assert Licence.objects.get().training_permitted


def test_the_same_again_changes_nothing(registrar: Registrar) -> None:
    registrar.send(LINE)

    assert registrar.send(LINE).json()["unchanged"] == 1


def test_leaves_what_a_line_does_not_say_and_clears_what_is_null(registrar: Registrar) -> None:
    registrar.send(LINE)

    assert registrar.send({"account": "acct_harbour", "plan": None}).json()["updated"] == 1

    harbour = Account.objects.get()
    assert (harbour.plan, str(harbour.organisation)) == ("", "org_quay")


def test_a_line_that_cannot_be_applied_rejects_no_other(registrar: Registrar) -> None:
    impossible = {"starts_at": "2026-05-01T00:00:00Z", "ends_at": "2026-04-01T00:00:00Z", "training_permitted": True}
    answer = registrar.send([], LINE, {"account": "acct_2", "licence": impossible}, {"account": ""}).json()

    assert (answer["created"], answer["rejected"]) == (1, 3)
    assert [one["line"] for one in answer["rejections"]] == [1, 3, 4]
    assert list(Account.objects.values_list("external_id", flat=True)) == ["acct_harbour"]


def test_says_what_moved_to_another_owner(registrar: Registrar) -> None:
    api_key(account("acct_other"), "key_1")

    [note] = registrar.send(LINE).json()["notes"]

    assert "key_1" in note


def test_is_an_entry_of_the_log_by_the_service_key(registrar: Registrar) -> None:
    registrar.send(LINE)

    entry = Entry.objects.get(verb=Verb.ACCOUNTS_REGISTERED)
    assert (entry.actor_kind, entry.actor_name) == ("service_key", "crm")


@pytest.mark.parametrize("sent", [{}, {"accounts": []}, {"accounts": "x"}, {"accounts": [LINE] * 1_001}, {"x": 1}, []])
def test_refuses_what_is_no_list_of_lines(registrar: Registrar, sent: Any) -> None:
    answer = registrar.client.post("/api/v1/register", sent, content_type="application/json", **registrar.known)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


class TestAnIdempotencyKey:
    def test_gives_the_same_answer_again(self, registrar: Registrar) -> None:
        first, again = (registrar.send(LINE, **{"Idempotency-Key": "import-7"}) for _ in range(2))

        assert first.json() == again.json()
        assert again.headers["Idempotent-Replayed"] == "true"

    def test_is_refused_for_other_lines(self, registrar: Registrar) -> None:
        registrar.send(LINE, **{"Idempotency-Key": "import-7"})

        assert registrar.send({"account": "acct_2"}, **{"Idempotency-Key": "import-7"}).status_code == 422

    def test_may_be_used_again_with_corrected_lines(self, registrar: Registrar) -> None:
        answers = [
            registrar.send(LINE, {"account": name}, **{"Idempotency-Key": "import-7"}).json()["rejected"]
            for name in ("", "acct_2")
        ]

        assert answers == [1, 0]
