"""Licences in the register, and the command that imports it."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts.models import Account, Licence
from governance.audit.models import Entry
from tests.accounts.registering import FULL, licence, register
from tests.commands import run_command
from tests.factories import account

pytestmark = pytest.mark.django_db

FUTURE = {"training_permitted": True, "starts_at": "2027-06-01T00:00:00Z", "reference": "C-18"}


PAST = {"training_permitted": True, "starts_at": "2025-01-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}


def licences() -> list[tuple[str, str, str | None]]:
    rows = Licence.objects.filter(training_permitted=True).order_by("starts_at", "reference")
    return [
        (one.reference, f"{one.starts_at:%Y-%m-%d}", f"{one.ends_at:%Y-%m-%d}" if one.ends_at else None) for one in rows
    ]


class TestALicence:
    @pytest.mark.parametrize("terms", [FUTURE, PAST, FUTURE | PAST, {"training_permitted": True}])
    def test_is_one_however_often_it_is_said(self, terms: dict[str, Any]) -> None:
        licence(terms, terms)
        before = licences()

        again = licence(terms, terms, days=1)

        assert (again.updated, again.unchanged) == (0, 2)
        assert len(before) == 1
        assert licences() == before

    def test_that_overlaps_another_stays_beside_it(self) -> None:
        contracts = [
            {"training_permitted": True, "reference": name, "starts_at": f"2026-0{month}-01T00:00:00Z"}
            for month, name in ((1, "C-1"), (2, "C-2"))
        ]
        licence(*contracts)

        assert licence(*contracts, days=1).unchanged == 2
        assert licences() == [("C-1", "2026-01-01", None), ("C-2", "2026-02-01", None)]

    @pytest.mark.parametrize("ends", ["2027-12-01", "2027-07-01", None])
    def test_gets_the_end_that_the_newest_line_says(self, ends: str | None) -> None:
        licence(FUTURE | {"ends_at": "2027-09-01T00:00:00Z"})

        outcome = licence(FUTURE | {"ends_at": f"{ends}T00:00:00Z" if ends else None})

        assert outcome.updated == 1
        assert licences() == [("C-18", "2027-06-01", ends)]

    def test_without_a_start_is_the_one_in_force(self) -> None:
        licence({"training_permitted": True})

        licence({"training_permitted": True, "ends_at": "2027-01-01T00:00:00Z"}, days=1)

        assert licences() == [("", "2026-11-02", "2027-01-01")]

    def test_given_again_after_it_was_taken_back_is_a_new_one(self) -> None:
        licence({"training_permitted": True})
        licence({"training_permitted": False}, days=1)
        licence({"training_permitted": True}, days=2)

        assert licences() == [("", "2026-11-02", "2026-11-03"), ("", "2026-11-04", None)]

    def test_that_has_not_begun_is_withdrawn(self) -> None:
        licence(FUTURE)

        assert licence({"training_permitted": False}).updated == 1
        assert licences() == []

    def test_taken_back_by_its_contract_leaves_others(self) -> None:
        licence(FUTURE, FUTURE | {"reference": "C-19"})

        licence({"training_permitted": False, "reference": "C-18"})

        assert licences() == [("C-19", "2027-06-01", None)]

    def test_leaves_an_entry_with_each_change(self) -> None:
        for ends_at in ("2027-09-01T00:00:00Z", "2027-12-01T00:00:00Z"):
            licence(FUTURE | {"ends_at": ends_at})
        licence(None)

        verbs = Entry.objects.filter(subject_id="acct_harbour").order_by("number").values_list("verb", flat=True)
        assert [*verbs] == ["licence.granted", "licence.changed", "licence.withdrawn"]

    def test_is_one_by_a_constraint(self) -> None:
        licence(FUTURE)
        [one] = Licence.objects.all()
        one.pk = None

        with pytest.raises(IntegrityError, match="one_licence_a_contract_and_start"), transaction.atomic():
            one.save(force_insert=True)


BAD: dict[str, Any] = {
    "ends before it starts": PAST | {"ends_at": "2024-04-01T00:00:00Z"},
    "ends when it starts": PAST | {"ends_at": "2025-01-01T02:00:00+02:00"},
    "ended before the account was opened": {"training_permitted": True, "ends_at": "2020-01-01T00:00:00Z"},
    "has no time zone": PAST | {"starts_at": "2024-05-01T00:00:00"},
    "is no time": PAST | {"starts_at": "soon"},
    "starts before the first year": PAST | {"starts_at": "0001-01-01T00:00:00+10:00"},
    "ends after the last year": PAST | {"ends_at": "9999-12-31T23:59:59-10:00"},
    "is no object": 7,
    "has too long a reference": PAST | {"reference": 201 * "C"},
}


class TestTheCommand:
    @pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
    def test_rejects_the_line_of_a_bad_licence_and_no_other(self, bad: Any, tmp_path: Path) -> None:
        file = tmp_path / "accounts.jsonl"
        file.write_text(f'{{"account": "a"}}\n{{"account": "b", "licence": {json.dumps(bad)}}}\n{{"account": "c"}}\n')

        ran = run_command("import_accounts", str(file))

        assert ran.out == "2 accounts created, 0 updated, 0 unchanged, 1 line rejected.\n"
        assert ran.err.startswith("line 2: ")
        assert ran.status == 1
        assert "licence" in ran.err
        assert {*Account.objects.values_list("external_id", flat=True)} == {"a", "c"}

    @pytest.mark.parametrize(
        "bad",
        [
            '"signup_ip": "fe80::1%eth0"',
            '"signup_ip": "203.0.113.300"',
            '"created_at": "0001-01-01T00:00:00+14:00"',
            '"terms": {"version": "1", "accepted_at": "9999-12-31T23:59:59-14:00"}',
            '"keys": [{"id": "key_1", "digest": "abc"}]',
            f'"keys": [{{"id": "key_1", "digest": "{"ab" * 20}"}}]',
            f'"keys": [{{"id": "key_1", "digest": "{"ab" * 64}"}}]',
            '"plan": "\\ud800"',
            '"plan": "\\u0000"',
            '"country": "NLD"',
            '"organisation": 7',
        ],
    )
    def test_rejects_the_line_of_any_other_bad_value_and_no_other(self, bad: str, tmp_path: Path) -> None:
        file = tmp_path / "accounts.jsonl"
        file.write_text(f'{{"account": "a"}}\n{{"account": "b", {bad}}}\n{{"account": "c"}}\n')

        ran = run_command("import_accounts", str(file))

        assert ran.out == "2 accounts created, 0 updated, 0 unchanged, 1 line rejected.\n"
        assert ran.err.startswith("line 2: ")
        assert ran.status == 1

    @pytest.mark.parametrize("digest", ["abc", "ab" * 16, "ab" * 31, "ab" * 33, "ab" * 64, "xy" * 32, "sk-7"])
    def test_says_what_a_digest_is_where_it_is_none(self, digest: str, tmp_path: Path) -> None:
        file = tmp_path / "accounts.jsonl"
        file.write_text(json.dumps({"account": "a", "keys": [{"id": "k"}, {"id": "key_1", "digest": digest}]}))

        ran = run_command("import_accounts", str(file))

        expected = "keys[1].digest must be the SHA-256 of the key in hexadecimal, 64 characters"
        assert ran.err.startswith(f"line 1: {expected}\n")

    def test_counts_what_became_of_each_line(self, tmp_path: Path) -> None:
        account("known", plan="team")
        file = tmp_path / "accounts.jsonl"
        lines = [{"account": "known", "plan": "team"}, {"account": "known", "plan": "free"}, {"account": "new"}, {}]
        file.write_text("\n".join(map(json.dumps, lines)))

        ran = run_command("import_accounts", str(file))

        assert ran.out == "1 account created, 1 updated, 1 unchanged, 1 line rejected.\n"

    def test_says_what_changed_hands(self, tmp_path: Path) -> None:
        register(FULL)
        file, out = tmp_path / "accounts.jsonl", StringIO()
        file.write_text(json.dumps({"account": "acct_harbour", "organisation": "org_quay"}))

        call_command("import_accounts", str(file), stdout=out)

        assert out.getvalue().startswith("Account acct_harbour moved from org_harbour to org_quay.\n")


def test_an_import_takes_the_same_queries_however_long_it_is(django_assert_max_num_queries: Any) -> None:
    opened = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    many = [
        FULL | {"account": f"acct_{n}", "created_at": opened, "keys": [{"id": f"key_{n}", "digest": f"{n:064x}"}]}
        for n in range(300)
    ]
    register(*many[:150])

    with django_assert_max_num_queries(40):
        register(*(one | {"plan": "free"} for one in many))

    assert Account.objects.filter(plan="free").count() == 300
