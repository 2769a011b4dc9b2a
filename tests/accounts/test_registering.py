import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.actions import RegisterResult, get_or_create_accounts, register_accounts
from accounts.models import Account, ApiKey, Licence, TermsAcceptance, TermsVersion
from accounts.register import UnreadableLineError, parse_account_line
from governance.audit.models import Entry
from tests.commands import run_command
from tests.factories import MACHINE, NOW, account

pytestmark = pytest.mark.django_db


def register(*accounts: dict[str, Any]) -> RegisterResult:
    lines = [parse_account_line(json.dumps(described).encode()) for described in accounts]
    return register_accounts(lines, by=MACHINE, now=NOW)


HARBOUR = {
    "account": "acct_harbour",
    "organisation": "org_harbour",
    "created_at": "2026-03-12T23:32:51Z",
    "plan": "team",
    "declared_use": "customer support",
    "country": "NL",
    "signup_ip": "198.51.100.7",
    "email_domain": "harbour.example",
    "payment_fingerprint": "card_1",
    "licence": {"training_permitted": False},
}


class TestRegistering:
    def test_takes_in_what_the_seller_says(self) -> None:
        register(HARBOUR)

        harbour = Account.objects.get()
        assert harbour.organisation is not None
        assert harbour.organisation.external_id == "org_harbour"
        assert (harbour.plan, harbour.country, harbour.signup_ip) == ("team", "NL", "198.51.100.7")

    def test_describes_a_known_account_anew(self) -> None:
        register(HARBOUR)

        outcome = register(HARBOUR | {"plan": "enterprise"})

        assert outcome == RegisterResult(created=0, updated=1)
        assert Account.objects.get().plan == "enterprise"

    def test_notes_that_the_seller_closed_an_account(self) -> None:
        register(HARBOUR | {"status": "closed"})

        assert Account.objects.get().status == Account.Status.CLOSED

    def test_lets_the_last_line_about_an_account_win(self) -> None:
        register(HARBOUR, HARBOUR | {"plan": "enterprise"})

        assert Account.objects.get().plan == "enterprise"

    def test_fills_in_an_account_that_was_met_in_usage(self) -> None:
        get_or_create_accounts({"acct_harbour": None}, now=NOW)

        register(HARBOUR)

        assert Account.objects.get().declared_use == "customer support"

    def test_leaves_an_entry(self) -> None:
        register(HARBOUR)

        assert Entry.objects.latest("number").details == {
            "created": 1,
            "updated": 0,
            "unchanged": 0,
            "rejected": 0,
        }

    def test_keeps_the_digest_of_a_key(self) -> None:
        register(HARBOUR | {"keys": [{"id": "key_1", "digest": "ab" * 32}]})

        assert bytes(ApiKey.objects.get().digest or b"") == bytes.fromhex("ab" * 32)

    def test_notes_which_terms_were_accepted_once(self) -> None:
        accepted = HARBOUR | {"terms": {"version": "2026-03", "accepted_at": "2026-03-12T23:40:00Z"}}

        register(accepted)
        register(accepted)

        assert TermsAcceptance.objects.get().terms.name == "2026-03"

    def test_takes_terms_as_published_when_somebody_first_accepted_them(self) -> None:
        for name, day in (("acct_1", "12"), ("acct_2", "01"), ("acct_3", "20")):
            accepted = {"version": "2026-03", "accepted_at": f"2026-03-{day}T00:00:00Z"}
            register(HARBOUR | {"account": name, "terms": accepted})

        assert TermsVersion.objects.get().published_at == datetime(2026, 3, 1, tzinfo=UTC)


class TestALicence:
    def test_begins_when_the_seller_permits_training(self) -> None:
        register(HARBOUR | {"licence": {"training_permitted": True}})

        assert Account.objects.training_permitted(at=NOW).exists()

    def test_is_one_however_often_it_is_said(self) -> None:
        for _ in range(2):
            register(HARBOUR | {"licence": {"training_permitted": True}})

        assert Licence.objects.count() == 1

    def test_ends_when_the_seller_takes_the_permission_back(self) -> None:
        register(HARBOUR | {"licence": {"training_permitted": True}})
        register(HARBOUR)

        assert not Account.objects.training_permitted(at=NOW).exists()

    def test_holds_for_its_term_only(self) -> None:
        term = {"training_permitted": True, "starts_at": "2026-11-02T00:00:00Z", "ends_at": "2026-11-03T00:00:00Z"}
        register(HARBOUR | {"licence": term})

        permitted = [Account.objects.training_permitted(at=NOW + timedelta(days=days)).exists() for days in (-1, 0, 1)]

        assert permitted == [False, True, False]


class TestALine:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"{", "^it is not JSON: it ends too early$"),
            (b'{"plan": "team"}', "^account is missing or empty$"),
            (b'{"account": 7}', "^account must be a text of 1 to 128 characters$"),
            (b'{"account": "a", "signup_ip": "next door"}', "next door"),
            (b'{"account": "a", "created_at": "2026-03-12T23:32:51"}', "time zone"),
            (b'{"account": "a\\u0000b"}', "NUL"),
            (b'{"account": "' + b"a" * 129 + b'"}', "^account must be a text of 1 to 128 characters$"),
            (b'[{"account": "a"}]', "^it must be a JSON object$"),
            (b'{"account": "a", "keys": [{"id": "k"}, 7]}', r"^keys\[1\] must be a JSON object$"),
            (b'{"account": "a", "keys": 7}', "^keys must be a list$"),
            (b'{"account": "a", "licence": {"training_permitted": 1}}', "licence.training_permitted must be true or"),
            (b'{"account": "a", "created_at": "noon"}', "^created_at must be a time such as 2026-11-02T09:14:07Z$"),
            (b'{"account": "a", "status": "shut"}', "^status must be one of closed, open, not 'shut'$"),
            (b'{"account": "\xff"}', "^it is not UTF-8$"),
        ],
    )
    def test_that_does_not_fit_says_why(self, line: bytes, reason: str) -> None:
        with pytest.raises(UnreadableLineError, match=reason):
            parse_account_line(line)

    def test_may_hold_members_that_nobody_knows(self) -> None:
        assert parse_account_line(b'{"account": "a", "shoe_size": 43}').account == "a"


class TestTheCommand:
    def test_names_a_bad_line_and_takes_its_neighbours(self, tmp_path: Path) -> None:
        file = tmp_path / "accounts.jsonl"
        file.write_text('{"account": "acct_first"}\nnonsense\n\n{"account": "acct_last"}\n')

        ran = run_command("import_accounts", str(file))

        assert ran.out == "2 accounts created, 0 updated, 0 unchanged, 1 line rejected.\n"
        assert ran.err.startswith("line 2: ")
        assert ran.err.endswith(f"CommandError: 1 line of {file} was rejected.\n")
        assert ran.status == 1

    def test_ends_well_where_every_line_was_taken(self, tmp_path: Path) -> None:
        file = tmp_path / "accounts.jsonl"
        file.write_text('{"account": "acct_first"}\n')

        ran = run_command("import_accounts", str(file))

        assert ran == ("1 account created, 0 updated, 0 unchanged, 0 lines rejected.\n", "", 0)

    def test_says_when_there_is_no_such_file(self) -> None:
        with pytest.raises(CommandError, match="No such file"):
            call_command("import_accounts", "nowhere.jsonl")


def test_accounts_met_in_usage_are_created_once() -> None:
    known = account("acct_known")

    met = get_or_create_accounts({"acct_known": None, "acct_new": "org_new"}, now=NOW)

    assert met["acct_known"] == known.pk
    assert Account.objects.get(pk=met["acct_new"]).organisation is not None
