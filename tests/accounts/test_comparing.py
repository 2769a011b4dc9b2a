"""A line of the register is compared with what is stored: what differs is applied, what it does not say stays."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.actions import get_or_create_accounts, get_or_create_keys
from accounts.models import Account, ApiKey, Licence, Organisation, TermsAcceptance
from accounts.register import UnreadableLineError, parse_account_line
from governance.audit.models import Entry
from tests.accounts.registering import DIGEST, FULL, OTHER_DIGEST, TERMS, register
from tests.factories import NOW, account, api_key

pytestmark = pytest.mark.django_db

OTHER_VALUES: dict[str, Any] = {
    "organisation": "org_quay",
    "organisation_name": "Harbour plc",
    "status": "open",
    "created_at": "2026-03-11T23:32:51Z",
    "plan": "enterprise",
    "declared_use": "translation",
    "country": "BE",
    "signup_ip": "198.51.100.9",
    "email_domain": "harbour.test",
    "payment_fingerprint": "card_2",
    "licence": {"training_permitted": True, "reference": "C-18", "ends_at": "2028-03-12T00:00:00Z"},
    "keys": [{"id": "key_1", "digest": OTHER_DIGEST}],
    "terms": TERMS | {"accepted_at": "2026-03-13T23:40:00Z"},
}


# How each member is cleared, besides null.
EMPTY = {
    "organisation",
    "organisation_name",
    "plan",
    "declared_use",
    "country",
    "signup_ip",
    "email_domain",
    "payment_fingerprint",
}


def stored() -> dict[str, Any]:
    """Everything the register holds about the account, by the members of its line."""
    harbour = Account.objects.select_related("organisation").get(external_id="acct_harbour")
    columns = ("status", "created_at", "plan", "declared_use", "country", "signup_ip", "email_domain")
    return {column: getattr(harbour, column) for column in (*columns, "payment_fingerprint")} | {
        "organisation": harbour.organisation and harbour.organisation.external_id,
        "organisation_name": dict(Organisation.objects.values_list("external_id", "name")),
        "licence": [*Licence.objects.values_list("training_permitted", "reference", "starts_at", "ends_at")],
        "keys": {key.external_id: key.digest and bytes(key.digest).hex() for key in ApiKey.objects.all()},
        "terms": [*TermsAcceptance.objects.values_list("terms__name", "accepted_at")],
    }


class TestASecondLine:
    def test_that_says_the_same_changes_nothing(self) -> None:
        register(FULL)
        before = stored()

        again = register(FULL, days=1)

        assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
        assert stored() == before

    @pytest.mark.parametrize("first", [{}, {"created_at": "2026-03-12T23:32:51Z"}])
    @pytest.mark.parametrize(
        "dates", [{}, {"starts_at": "2026-06-01T00:00:00Z"}, {"starts_at": "2027-06-01T00:00:00Z"}]
    )
    def test_that_takes_a_licence_back_which_the_first_gave_does_so_once(
        self, first: dict[str, Any], dates: dict[str, Any]
    ) -> None:
        given = {"training_permitted": True, "reference": "C"} | dates
        lines = [{"account": "acct_harbour", "licence": given} | first, {"account": "acct_harbour", "licence": None}]
        register(*lines)
        before, entries = stored(), Entry.objects.filter(verb__startswith="licence.").count()

        again = [register(*lines, days=days) for days in (1, 2, 3)]

        assert [(one.updated, one.unchanged) for one in again] == [(0, 2)] * 3
        assert stored() == before
        assert Entry.objects.filter(verb__startswith="licence.").count() == entries
        assert not Account.objects.training_permitted(at=NOW + timedelta(days=3)).exists()

    def test_and_a_third_that_say_otherwise_and_the_same_again_change_nothing(self) -> None:
        account("acct_quay")
        lines = [FULL | {member: value} for member, value in OTHER_VALUES.items() if member != "licence"]
        lines.append({"account": "acct_quay", "keys": FULL["keys"]})
        register(FULL, *lines, FULL)
        before, entries = stored(), Entry.objects.exclude(verb="accounts.registered").count()

        again = register(FULL, *lines, FULL, days=1)

        assert (again.updated, again.notes) == (0, ())
        assert stored() == before
        assert Entry.objects.exclude(verb="accounts.registered").count() == entries

    @pytest.mark.parametrize("member", OTHER_VALUES)
    def test_that_says_something_else_is_applied(self, member: str) -> None:
        register(FULL)
        before = stored()

        outcome = register(FULL | {member: OTHER_VALUES[member]})

        assert outcome.updated == 1
        assert {name for name, value in stored().items() if value != before[name]} >= {member}
        assert register(FULL | {member: OTHER_VALUES[member]}).unchanged == 1

    @pytest.mark.parametrize("member", [*OTHER_VALUES])
    def test_that_does_not_speak_of_it_leaves_it(self, member: str) -> None:
        register(FULL)
        before = stored()
        silent = {member, "organisation_name"} if member == "organisation" else {member}

        outcome = register({name: value for name, value in FULL.items() if name not in silent})

        assert outcome.unchanged == 1
        assert stored() == before

    @pytest.mark.parametrize("empty", [None, ""])
    @pytest.mark.parametrize("member", sorted(EMPTY))
    def test_that_says_it_is_empty_clears_it(self, member: str, empty: str | None) -> None:
        register(FULL)

        outcome = register({"account": "acct_harbour", "organisation": "org_harbour", member: empty})

        assert outcome.updated == 1
        cleared = stored()[member]
        assert not (cleared["org_harbour"] if member == "organisation_name" else cleared)

    @pytest.mark.parametrize(
        ("said", "read"),
        [
            ({"terms": {"version": "", "accepted_at": ""}}, {}),
            ({"terms": {"version": None, "accepted_at": None}}, {}),
            ({"terms": {}, "keys": [None, {"id": "", "digest": ""}, {}]}, {}),
            ({"status": None}, {}),
            ({"licence": {"training_permitted": None}}, {"licence": None}),
            ({"licence": {"training_permitted": "", "reference": None, "starts_at": ""}}, {"licence": None}),
            (
                {"licence": {"training_permitted": True, "reference": None, "ends_at": ""}},
                {"licence": {"training_permitted": True}},
            ),
            ({"keys": [{"id": "key_2", "digest": ""}]}, {"keys": [{"id": "key_2", "digest": None}]}),
        ],
    )
    def test_is_read_the_same_whether_a_member_inside_is_empty_or_absent(
        self, said: dict[str, Any], read: dict[str, Any]
    ) -> None:
        keys = {"keys": [*said.get("keys", []), {"id": "key_1", "digest": DIGEST}]}

        line = parse_account_line(json.dumps({"account": "acct_harbour"} | said | keys).encode())

        wanted = {"account": "acct_harbour"} | read | {"keys": [*read.get("keys", []), *keys["keys"][-1:]]}
        assert line == parse_account_line(json.dumps(wanted).encode())

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ({"terms": {"version": "2026-03", "accepted_at": ""}}, "terms.accepted_at is missing"),
            ({"terms": {"version": "None", "accepted_at": "2026-03-12T23:40:00Z"}}, "terms.version is missing"),
            ({"keys": [{"id": None, "digest": DIGEST}]}, "keys.id is missing"),
        ],
    )
    def test_is_refused_by_the_name_of_the_member_that_is_needed(self, said: dict[str, Any], reason: str) -> None:
        with pytest.raises(UnreadableLineError, match=reason):
            parse_account_line(json.dumps({"account": "acct_harbour"} | said).encode())

    def test_may_clear_when_the_account_was_opened_and_take_its_licence_back(self) -> None:
        register(FULL)

        register({"account": "acct_harbour", "created_at": None, "licence": None}, days=1)

        assert stored()["created_at"] is None
        assert not Account.objects.training_permitted(at=NOW + timedelta(days=1)).exists()

    def test_in_the_same_batch_is_compared_with_the_one_before_it(self) -> None:
        outcome = register(FULL, {"account": "acct_harbour", "country": "BE"}, {"account": "acct_harbour"})

        assert (outcome.created, outcome.updated, outcome.unchanged) == (1, 1, 1)
        assert (stored()["country"], stored()["plan"]) == ("BE", "team")

    def test_knows_an_address_in_another_spelling(self) -> None:
        register(FULL)

        assert register(FULL | {"signup_ip": "2001:0DB8:0:0::7"}).unchanged == 1

    def test_may_not_name_an_organisation_that_it_does_not_say(self) -> None:
        with pytest.raises(UnreadableLineError, match="say which organisation"):
            parse_account_line(b'{"account": "a", "organisation_name": "Quay"}')


class TestAKey:
    def test_that_was_met_in_usage_gets_its_digest(self) -> None:
        accounts = get_or_create_accounts({"acct_harbour": None}, now=NOW)
        get_or_create_keys([("key_1", accounts["acct_harbour"])], now=NOW)

        assert register(FULL).updated == 1
        assert stored()["keys"] == {"key_1": DIGEST}

    def test_that_another_account_names_moves_with_an_entry(self) -> None:
        register(FULL)

        outcome = register({"account": "acct_quill", "keys": [{"id": "key_1"}]})

        assert ApiKey.objects.get().account.external_id == "acct_quill"
        assert outcome.notes == ("Key key_1 moved from acct_harbour to acct_quill.",)
        entry = Entry.objects.get(verb="key.moved")
        assert (entry.subject_id, entry.details) == ("key_1", {"from": "acct_harbour", "to": "acct_quill"})

    def test_swaps_digests_with_another(self) -> None:
        keys = [{"id": "key_1", "digest": DIGEST}, {"id": "key_2", "digest": OTHER_DIGEST}]
        register({"account": "acct_harbour", "keys": keys})

        register(
            {
                "account": "acct_harbour",
                "keys": [{"id": "key_1", "digest": OTHER_DIGEST}, {"id": "key_2", "digest": DIGEST}],
            }
        )

        assert stored()["keys"] == {"key_1": OTHER_DIGEST, "key_2": DIGEST}

    def test_takes_over_the_digest_of_another_with_an_entry(self) -> None:
        register(FULL)

        outcome = register({"account": "acct_quill", "keys": [{"id": "key_2", "digest": DIGEST}]})

        assert stored()["keys"] == {"key_1": None, "key_2": DIGEST}
        assert outcome.notes == ("The digest of key key_1 moved from key_1 to key_2.",)
        assert Entry.objects.filter(verb="key.digest_moved", subject_id="key_1").exists()

    @pytest.mark.parametrize("empty", [None, ""])
    def test_loses_its_digest_where_the_line_says_so(self, empty: str | None) -> None:
        register(FULL)

        register(FULL | {"keys": [{"id": "key_1", "digest": empty}]})

        assert stored()["keys"] == {"key_1": None}

    def test_keeps_it_where_the_line_says_nothing(self) -> None:
        register(FULL)

        assert register(FULL | {"keys": [{"id": "key_1"}]}).unchanged == 1
        assert stored()["keys"] == {"key_1": DIGEST}


class TestUsage:
    def test_names_the_organisation_of_an_account_that_it_makes_known(self) -> None:
        for _ in range(2):
            get_or_create_accounts({"acct_harbour": "org_harbour"}, now=NOW)

        assert stored()["organisation"] == "org_harbour"

    def test_names_none_of_an_account_that_was_known(self) -> None:
        account("acct_harbour")

        get_or_create_accounts({"acct_harbour": "org_harbour"}, now=NOW)

        assert stored()["organisation"] is None
        assert not Organisation.objects.exists()

    def test_does_not_move_an_account_that_has_one(self) -> None:
        register(FULL)

        get_or_create_accounts({"acct_harbour": "org_quay"}, now=NOW)

        assert stored()["organisation"] == "org_harbour"

    def test_does_not_move_a_key(self) -> None:
        api_key(account("acct_harbour"), "key_1")

        get_or_create_keys([("key_1", account("acct_quill").pk)], now=NOW)

        assert ApiKey.objects.get().account.external_id == "acct_harbour"


def test_the_register_holds_no_digest_of_another_length() -> None:
    with pytest.raises(IntegrityError, match="digest_is_a_sha256"):
        ApiKey.objects.create(external_id="key_1", account=account(), digest=b"\1" * 20, first_seen_at=NOW)
