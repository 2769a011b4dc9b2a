"""An auditor reads the log, has an entry proved, and takes entries along with their proofs."""

import base64
import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from governance.audit.actions import record
from governance.audit.chain import canonical_json, encode_leaf
from governance.audit.commitments import commitment
from governance.audit.merkle import is_included
from governance.audit.models import Entry
from governance.audit.publishing import log_keys, publish
from governance.audit.queries import content_of
from governance.audit.stillwatch_verify import SignedCheckpoint, leaf_hash, open_checkpoint
from governance.audit.verbs import Verb
from governance.overview.log_pages import exports
from governance.review.actions import add_note
from governance.staff.roles import Role
from tests.audit.publishing import forge, publish_to, write, write_many
from tests.everything import one_of_everything
from tests.factories import MACHINE, NOW, account, case, person
from tests.review.pages import signed_in, text

pytestmark = pytest.mark.django_db

STRANGERS = {"hour": "2026-11-02T09:00:00Z", "attempts": 40, "networks": [], "further_networks": 0}


@pytest.fixture
def ines() -> Client:
    """The browser of an auditor."""
    return signed_in(person("Ines Varga", role=Role.AUDITOR))


def is_proved(leaf: bytes, proof: str) -> bool:
    """Whether somebody with the key of the log alone, who reads C2SP tlog-proof, is convinced."""
    head, _, checkpoint = proof.partition("\n\n")
    kind, index, *hashes = head.split("\n")
    assert kind == "c2sp.org/tlog-proof@v1"
    opened: SignedCheckpoint = open_checkpoint(checkpoint, [key.verifier for key in log_keys()])
    steps = [base64.b64decode(step, validate=True) for step in hashes]
    return is_included(leaf_hash(leaf), int(index.removeprefix("index ")), opened.size, steps, opened.root)


def listed(page: Any) -> list[int]:
    return [entry.number for entry, _ in page.context["page"].rows]


class TestTheList:
    def test_is_for_those_who_may_read_the_log(self, ines: Client) -> None:
        write()

        assert ines.get("/log/").status_code == 200
        assert 'href="/log/"' in text(ines.get("/log/"))
        mira = signed_in(person("Mira Okafor"))
        assert [mira.get(page).status_code for page in ("/log/", "/log/1/", "/log/1/proof/")] == [403] * 3
        assert mira.post("/log/export/", {"file_format": "csv"}).status_code == 403
        assert 'href="/log/"' not in text(mira.get("/queue/"))

    def test_filters_by_who_about_whom_what_and_when(self, ines: Client) -> None:
        opened, jonas = case(account("acct_quill")), person("Jonas Lindqvist")
        before = Entry.objects.count()
        add_note(opened, text="Called them.", by=jonas, now=NOW)
        write("Something else.", at=NOW + timedelta(days=1))
        subject = ("account", "acct_quill")
        record(Verb.ACCOUNT_WATCHED, subject=subject, by=MACHINE, now=NOW, details={"reason": "A tip."})
        noted, other, watched = range(before + 1, before + 4)

        assert {noted, other, watched} <= {*listed(ines.get("/log/"))}
        for query, found in {
            f"who=staff:{jonas.pk}": [noted],
            "about=acct_quill": [watched, noted],
            f"about={opened.pk}": [noted],
            "kind=account&about=acct_quill": [watched],
            "verb=account.watched": [watched],
            f"verb=case.noted&first={NOW:%Y-%m-%d}&last={NOW:%Y-%m-%d}": [noted],
            f"first={NOW + timedelta(days=1):%Y-%m-%d}&verb=case.noted": [other],
            "about=acct_nobody": [],
        }.items():
            assert listed(ines.get(f"/log/?{query}")) == found, query

    def test_finds_people_by_their_e_mail(self, ines: Client) -> None:
        jonas = person("Jonas Lindqvist")
        entry = record(Verb.USER_PASSWORD_CHANGED, subject=("user", str(jonas.pk)), by=MACHINE, now=NOW)

        assert listed(ines.get("/log/", {"about": jonas.email.upper(), "verb": entry.verb})) == [entry.number]

    def test_says_what_was_done_in_words_and_stands_among_the_settings(self, ines: Client) -> None:
        record(Verb.SIGN_IN_STRANGERS_FAILED, subject=("sign_in", "many"), by=MACHINE, now=NOW, details=STRANGERS)

        shown = text(ines.get("/log/"))

        assert "<span>Sign-ins of unknown users failed</span>" in shown
        assert "sign in many" in shown
        assert re.search(r'aria-label="Settings">.*<a href="/log/" aria-current="page">Audit log</a>', shown, re.DOTALL)

    def test_goes_on_where_the_page_before_ended(self, ines: Client) -> None:
        write_many(120)
        last = Entry.objects.latest("number").number

        first = ines.get("/log/?verb=case.noted")
        second = ines.get(f"/log/?verb=case.noted&before={first.context['page'].next_before}")

        assert listed(first) == list(range(last, last - 50, -1))
        assert listed(second) == list(range(last - 50, last - 100, -1))
        assert 'rel="next"' in text(second)

    @pytest.mark.parametrize("query", ["verb=nothing", "first=yesterday", "before=x", "last=9999-12-31"])
    def test_refuses_a_filter_that_it_cannot_read(self, ines: Client, query: str) -> None:
        assert ines.get(f"/log/?{query}").status_code == 400

    def test_costs_few_queries(self, ines: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        one_of_everything()
        write_many(40)

        # session, user, entries, actors, and one for each kind of thing that the entries of the page are about
        with django_assert_max_num_queries(12):
            assert ines.get("/log/").status_code == 200


class TestAnEntry:
    def test_says_what_was_before_and_what_is_after(self, ines: Client) -> None:
        details = {"before": {"is_offered": True, "terms_clause": "2.1"}, "after": {"is_offered": False}}
        one = record(Verb.REASON_CHOICE_SET, subject=("reason", "other"), by=MACHINE, now=NOW, details=details)

        page = ines.get(f"/log/{one.number}/")

        assert page.context["detail"].changes == [("is_offered", True, False), ("terms_clause", "2.1", None)]
        assert '<th scope="col">Before</th>' in text(page)

    @pytest.mark.parametrize("number", [1, 256, 257, 300])
    def test_is_proved_by_the_newest_checkpoint(self, ines: Client, number: int) -> None:
        publish_to(300)

        page = text(ines.get(f"/log/{number}/"))
        proof, leaf = ines.get(f"/log/{number}/proof/"), ines.get(f"/log/{number}/leaf/")

        assert "This entry is one of the 300 of the checkpoint" in page
        assert proof["Content-Disposition"] == f'attachment; filename="entry-{number}.tlog-proof"'
        assert json.loads(leaf.content)["number"] == number
        assert is_proved(leaf.content, text(proof))
        assert not is_proved(leaf.content + b" ", text(proof))

    def test_is_proved_once_it_is_published(self, ines: Client) -> None:
        publish(now=NOW)
        one = write()

        assert "It is not published yet" in text(ines.get(f"/log/{one.number}/"))
        assert ines.get(f"/log/{one.number}/proof/").status_code == 404

        publish(now=NOW)

        assert "Download the proof" in text(ines.get(f"/log/{one.number}/"))

    def test_that_was_changed_is_not_proved(self, ines: Client) -> None:
        publish_to(300)
        forge("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 290")

        page = text(ines.get("/log/290/"))

        assert "No proof can be made: entry 290 of the log: its content was changed after it was written." in page
        assert [ines.get(f"/log/290/{what}/").status_code for what in ("proof", "leaf")] == [404, 404]

    def test_that_was_made_again_as_a_whole_is_not_proved_either(self, ines: Client) -> None:
        publish_to(300)
        entry = Entry.objects.get(number=290)
        entry.actor_name = "Eve"
        leaf = encode_leaf(content_of(entry), bytes(entry.salt))
        forge("UPDATE audit_entry SET actor_name = 'Eve', leaf = %s WHERE number = 290", leaf)

        assert "No proof can be made: entry 290 is not what was published." in text(ines.get("/log/290/"))

    def test_says_so_where_the_folder_cannot_be_read(self, ines: Client, settings: Any, tmp_path: Any) -> None:
        publish_to(300)
        settings.AUDIT_FOLDER = tmp_path / "elsewhere"

        said = "the published log cannot be read here"
        assert f"No proof can be made: {said}: No such file or directory." in text(ines.get("/log/290/"))
        page = ines.post("/log/export/", {"file_format": "ndjson"}, follow=True)
        assert f"Nothing was exported: {said} (No such file or directory)." in text(page)

    def test_that_there_is_not_is_not_found(self, ines: Client) -> None:
        assert ines.get("/log/9999/").status_code == 404
        assert ines.get(f"/log/{2**63}/").status_code == 404


class TestAnExport:
    def test_holds_every_matching_entry_with_its_proof(self, ines: Client) -> None:
        publish_to(300)
        new = write("Not published yet.")

        answer = ines.post("/log/export/", {"file_format": "ndjson", "verb": "case.noted"})

        lines = [json.loads(line) for line in text(answer).splitlines()]
        assert [line["number"] for line in lines] == [
            *Entry.objects.filter(verb="case.noted").order_by("number").values_list("number", flat=True)
        ]
        assert (lines[-1]["leaf"], lines[-1]["proof"]) == (bytes(new.leaf or b"").decode(), None)
        assert all(is_proved(line["leaf"].encode(), line["proof"]) for line in lines[:-1])
        assert answer["Content-Disposition"].startswith('attachment; filename="audit-log-')
        assert answer["Content-Disposition"].endswith('.ndjson"')

    def test_proves_each_field_by_itself(self, ines: Client) -> None:
        write({"said": "Zoë called.", "times": 2})

        line = json.loads(text(ines.post("/log/export/", {"file_format": "ndjson", "verb": "case.noted"})))

        commitments, fields = json.loads(line["leaf"])["commitments"], line["fields"]
        assert {name: field["value"] for name, field in fields.items()} == {
            "actor": {"id": "test", "kind": "system", "name": "test"},
            "subject": {"id": "1", "kind": "case"},
            "details.note": {"said": "Zoë called.", "times": 2},
        }
        assert {
            name: commitment(bytes.fromhex(field["salt"]), canonical_json(field["value"]))
            for name, field in fields.items()
        } == commitments

    def test_is_a_table_for_spreadsheets_too(self, ines: Client) -> None:
        publish_to(20)

        answer = ines.post("/log/export/", {"file_format": "csv"})

        rows = list(csv.DictReader(io.StringIO(text(answer))))
        assert rows[-1]["details"] == '{"note": "Note ' + str(json.loads(rows[-1]["details"])["note"])[5:] + '"}'
        assert all(is_proved(row["leaf"].encode(), row["proof"]) for row in rows)
        assert json.loads(rows[-1]["fields"]).keys() == json.loads(rows[-1]["leaf"])["commitments"].keys()
        assert len(rows) == 20

    def test_is_an_entry_itself(self, ines: Client) -> None:
        write()
        filters = {"verb": "case.noted", "first": f"{NOW:%Y-%m-%d}"}

        ines.post("/log/export/", {"file_format": "csv", **filters})

        exported = Entry.objects.latest("number")
        assert (exported.verb, exported.actor_name) == (Verb.LOG_EXPORTED, "Ines Varga")
        assert exported.details == {"format": "csv", "entries": 1, "filter": filters}

    def test_of_too_many_entries_is_refused(self, ines: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exports, "MOST", 10)
        write_many(11)

        page = ines.post("/log/export/", {"file_format": "csv", "verb": "case.noted"}, follow=True)

        assert page.redirect_chain == [("/log/?verb=case.noted", 302)]
        assert "More than 10 entries match. Narrow the filters" in text(page)
        assert not Entry.objects.filter(verb=Verb.LOG_EXPORTED).exists()

    def test_holds_nothing_that_was_changed(self, ines: Client) -> None:
        publish_to(30)
        forge("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 29")

        page = ines.post("/log/export/", {"file_format": "ndjson"}, follow=True)

        assert "Nothing was exported: entry 29 of the log" in text(page)
