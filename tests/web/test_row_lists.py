"""What programs read: the same in every family, in one query, and nothing of people that pages keep to themselves."""

import json
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.campaigns.models import Campaign
from governance.review.models import Case, Decision
from governance.staff.models import ServiceKey
from tests.everything import one_of_everything
from tests.factories import account, api_key, assessment, case, service_key
from tests.openapi.test_document import DOCUMENT, errors

pytestmark = pytest.mark.django_db

# The address of each family, and the member of the answer that holds its rows.
FAMILIES: Final = {
    "accounts": "accounts",
    "organisations": "organisations",
    "keys": "keys",
    "assessments": "assessments",
    "campaigns": "campaigns",
    "campaign-members": "campaign_members",
    "cases": "cases",
    "decisions": "decisions",
    "policies": "policies",
    "log-entries": "entries",
    "restrictions": "restrictions",
}
NDJSON: Final = "application/x-ndjson"

every_family = pytest.mark.parametrize("family", FAMILIES)


class Reader:
    """Reads with a service key that has every scope."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.known = service_key(*ServiceKey.Scope.values)[1]

    def get(self, family: str, query: Any = None, **headers: Any) -> Any:
        return self.client.get(f"/api/v1/{family}", query or {}, **self.known, **headers)

    def rows(self, family: str, **query: object) -> list[dict[str, Any]]:
        answer = self.get(family, query)
        assert answer.status_code == 200, answer.content
        rows: list[dict[str, Any]] = answer.json()[FAMILIES[family]]
        return rows

    def export(self, family: str, **query: object) -> list[dict[str, Any]]:
        answer = self.get(family, query, HTTP_ACCEPT=NDJSON)
        assert (answer.status_code, answer["Content-Type"]) == (200, NDJSON)
        return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def cursors_of_the_server() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors WHERE statement LIKE '%accounts_account%' AND name <> ''")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def reader(client: Client) -> Reader:
    return Reader(client)


@pytest.fixture
def everything(reader: Reader) -> Reader:
    one_of_everything()
    case()
    return reader


class TestAList:
    @every_family
    def test_is_what_the_document_says(self, everything: Reader, family: str) -> None:
        answer = everything.get(family).json()

        said = DOCUMENT["paths"][f"/api/v1/{family}"]["get"]["responses"]["200"]["content"]["application/json"]
        assert answer[FAMILIES[family]]
        assert errors(said["schema"], answer) == []

    @every_family
    def test_goes_on_where_a_page_ends(self, everything: Reader, family: str) -> None:
        whole, found, query = everything.rows(family), [], {"limit": 1}
        while True:
            page = everything.get(family, query).json()
            found += page[FAMILIES[family]]
            if page["next"] is None:
                break
            query = {"limit": 1, "after": page["next"]}

        assert found == whole

    @every_family
    def test_shows_the_members_that_are_asked_for(self, everything: Reader, family: str) -> None:
        first, second, *_ = everything.rows(family)[0]

        assert everything.rows(family, fields=f"{second},{first}") == [
            {second: row[second], first: row[first]} for row in everything.rows(family)
        ]

    @every_family
    @pytest.mark.parametrize(
        ("query", "member"),
        [
            ({"fields": "nothing"}, "fields"),
            ({"fields": ""}, "fields"),
            ({"after": "x"}, "after"),
            ({"limit": 0}, "limit"),
            ({"limit": 1_001}, "limit"),
            ({"acount": "x"}, "acount"),
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, reader: Reader, family: str, query: dict[str, object], member: str
    ) -> None:
        answer = reader.get(family, query)

        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == [member]

    @every_family
    def test_takes_two_queries_however_many_rows_there_are(self, everything: Reader, family: str) -> None:
        everything.get(family)

        with CaptureQueriesContext(connection) as asked:
            everything.get(family)

        assert len(asked) == 2  # the service key, and the rows

    @every_family
    def test_has_none_of_what_pages_keep_to_themselves(self, everything: Reader, family: str) -> None:
        Account.objects.update(signup_ip="203.0.113.77", payment_fingerprint="canary_card", email_domain="canary.test")
        Decision.objects.update(note="canary note", undone_note="canary undone")

        told = json.dumps(everything.rows(family)) + json.dumps(everything.export(family))

        assert "canary" not in told
        assert "203.0.113.77" not in told
        assert "@example.com" not in told


class TestAnExport:
    @every_family
    def test_holds_all_rows_as_the_list_shows_them(self, everything: Reader, family: str) -> None:
        listed = everything.rows(family)

        exported = everything.export(family)

        if family == "log-entries":  # the export is one
            exported = exported[1:]
        assert exported == listed

    def test_is_read_in_batches_by_one_query_while_it_is_sent(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.web.row_lists.BATCH", 2)
        names = sorted(account().external_id for _ in range(7))
        answer = reader.get("accounts", {"fields": "account"}, HTTP_ACCEPT=NDJSON)

        with CaptureQueriesContext(connection) as asked:
            lines = iter(answer.streaming_content)
            sent = [next(lines)]
            cursors = cursors_of_the_server()
            sent += lines

        assert [json.loads(line)["account"] for line in sent] == names
        assert len(cursors) == 1
        assert sum(one["sql"].startswith("DECLARE") for one in asked) == 1

    def test_has_no_pages(self, reader: Reader) -> None:
        answer = reader.get("accounts", {"limit": 7}, HTTP_ACCEPT=NDJSON)

        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")

    def test_takes_the_same_filters(self, reader: Reader) -> None:
        account("acct_harbour")
        account("acct_other")

        assert reader.export("accounts", account="acct_harbour", fields="account") == [{"account": "acct_harbour"}]

    def test_of_the_log_is_an_entry(self, everything: Reader) -> None:
        everything.export("log-entries", verb="case.decided")

        entry = Entry.objects.filter(verb=Verb.LOG_EXPORTED).latest("number")
        assert entry.actor_kind == "service_key"
        assert entry.details["filter"] == {"verb": "case.decided"}


class TestAFilter:
    def test_of_accounts(self, reader: Reader) -> None:
        account("acct_harbour", organisation="org_quay", plan="team")
        account("acct_other", plan="free")

        for query in ({"account": "acct_harbour"}, {"organisation": "org_quay"}, {"plan": "team"}):
            assert [row["account"] for row in reader.rows("accounts", **query)] == ["acct_harbour"]
        assert reader.rows("accounts", status="closed") == []

    def test_of_keys(self, reader: Reader) -> None:
        api_key(account("acct_harbour"), "key_1")
        api_key(account("acct_other"), "key_2")

        assert [row["api_key"] for row in reader.rows("keys", account="acct_other")] == ["key_2"]

    def test_of_assessments(self, reader: Reader) -> None:
        assessment(account("acct_harbour"))
        assessment(account("acct_other"))

        [row] = reader.rows("assessments", account="acct_harbour")
        assert row["account"] == "acct_harbour"
        assert {"detector", "title", "family", "strength", "points", "sentence"} == row["findings"][0].keys()

    def test_of_cases_and_decisions(self, everything: Reader) -> None:
        decided = Decision.objects.filter(case__account__isnull=False)[0]
        theirs = decided.case.own_account.external_id

        assert {row["account"] for row in everything.rows("decisions", account=theirs)} == {theirs}
        assert [row["case"] for row in everything.rows("cases", case=decided.case_id)] == [str(decided.case_id)]
        assert {row["status"] for row in everything.rows("cases", status="open")} == {Case.Status.OPEN}
        assert everything.rows("cases", since="2100-01-01T00:00:00Z") == []

    def test_of_campaign_members(self, everything: Reader) -> None:
        campaign = str(Campaign.objects.filter(members__isnull=False)[0].pk)

        assert {row["campaign"] for row in everything.rows("campaign-members", campaign=campaign)} == {campaign}

    def test_of_the_log(self, everything: Reader) -> None:
        found = everything.rows("log-entries", verb="case.decided")

        assert {row["verb"] for row in found} == {"case.decided"}
        assert all("note" not in row["details"] for row in found)
