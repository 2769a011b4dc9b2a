"""Who a gateway takes a request to come from, and what it says about itself."""

import pytest

from stillwatch_gateway.keys import bearer_token, shown_keys, shows_token
from stillwatch_gateway.keys import digest as digest_of
from stillwatch_gateway.naming import (
    LITELLMS_OWN,
    adjacent_values,
    given_names,
    is_instance_name,
    lasting_key,
    litellm_account,
    possible_names,
    read_name,
    read_names,
    split_header_values,
    this_process,
)
from stillwatch_gateway.normalization import is_nothing


class TestTheAccountBehindARequestToLitellm:
    @pytest.mark.parametrize(
        ("team", "user", "key", "account"),
        [
            ("team_1", "user_1", "key_1", "team_1"),
            (None, "user_1", "key_1", "user_1"),
            ("None", "", "key_1", "key_1"),
            (None, None, None, None),
            (None, "default_user_id", "key_1", "key_1"),
            (None, "default_user_id", "hashed-jwt-1", None),
            (None, None, "litellm_proxy_master_key", None),
        ],
    )
    def test_is_the_team_else_the_user_else_the_key(
        self, team: str | None, user: str | None, key: str | None, account: str | None
    ) -> None:
        assert litellm_account(team, user, key) == account

    @pytest.mark.parametrize("name", sorted(LITELLMS_OWN))
    def test_is_none_for_what_is_litellms_own(self, name: str) -> None:
        assert litellm_account(name, name, name) is None

    @pytest.mark.parametrize(
        ("key", "lasts"), [("key_1", "key_1"), (None, None), ("null", None), ("hashed-jwt-1", None)]
    )
    def test_is_never_a_token_that_is_signed_for_an_hour(self, key: str | None, lasts: str | None) -> None:
        assert lasting_key(key) == lasts


class TestANameInAHeader:
    def test_is_itself_where_it_is_plain(self) -> None:
        assert possible_names(" acct_1 ") == ["acct_1"]

    def test_may_be_encoded_or_decoded_by_another_rule(self) -> None:
        assert possible_names("50%25") == ["50%25", "50%"]
        assert "Zoë" in possible_names("ZoÃ«")
        assert "Zoë" in possible_names("Zo%EB")
        assert possible_names("\ud800") == ["\ud800"]  # nothing that any encoding has

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            (7, "it is no text"),
            (" ", "it is blank"),
            ("a%00b", "it holds NUL"),
            ("a" * 201, "at most 200 characters"),
            ("a\ud800", "at most 200 characters, as UTF-8"),
        ],
    )
    def test_says_why_it_cannot_be_read(self, value: object, why: str) -> None:
        assert why in read_name("account", value)[1]

    def test_that_says_none_is_none(self) -> None:
        assert read_name("account", "undefined") == ([], "")
        assert read_names([("account", "None"), ("key", None), ("key", ""), ("key", "key_1")]) == (["key:key_1"], "")

    def test_that_cannot_be_read_does_not_hide_the_others_and_the_first_reason_is_given(self) -> None:
        names, why = read_names([("account", " "), ("key", "key_1"), ("digest", 7)])

        assert names == ["key:key_1"]
        assert "of the account" in why

    def test_may_stand_beside_others(self) -> None:
        assert split_header_values(" one ") == ["one"]
        assert split_header_values("one, two") == ["one, two", "one", "two"]
        assert list(adjacent_values("a ,b")) == ["a", "a ,b", "a, b", "a,b", "b"]
        assert list(adjacent_values("a b", starts=[2])) == ["b"]


class TestNamesGivenByAnApplication:
    def test_are_normalized_and_those_that_say_none_left_out(self) -> None:
        assert given_names(" acct_1 ", "null", "AB", "org_1", ["key:key_2", "key:none"]) == (
            ["account:acct_1", "digest:ab", "organisation:org_1", "key:key_2"],
            "",
        )
        assert given_names("none", "key_1", "undefined", "None", []) == (["key:key_1"], "")
        assert given_names(None, None, None, None, []) == ([], "")

    def test_that_are_not_plain_count_in_every_way_that_they_may_be_read(self) -> None:
        assert given_names("acct_2", None, None, None, ["account:acct%5F1"])[0] == [
            "account:acct_2",
            "account:acct%5F1",
            "account:acct_1",
        ]

    @pytest.mark.parametrize("name", [7, b"acct_1"])
    def test_that_are_no_text_are_said_to_be_unreadable(self, name: object) -> None:
        assert "it is no text" in given_names(name, None, None, None, [])[1]  # type: ignore[arg-type] # that is it


class TestTheNameOfAProcess:
    def test_is_another_each_time_and_one_that_stillwatch_takes(self) -> None:
        assert this_process() != this_process()
        assert is_instance_name(this_process())


class TestNothing:
    @pytest.mark.parametrize("value", [None, "", " ", "None", "null", " Undefined "])
    def test_is_known_however_it_was_written(self, value: object) -> None:
        assert is_nothing(value)

    @pytest.mark.parametrize("value", [0, False, "nobody", "0"])
    def test_is_nothing_else(self, value: object) -> None:
        assert not is_nothing(value)


class TestAKey:
    @pytest.mark.parametrize(
        ("authorization", "secret"),
        [("Bearer sk-1", "sk-1"), ("bearer  sk-1 ", "sk-1"), ("Bearer", None), ("Basic sk-1", None), ("", None)],
    )
    def test_is_what_follows_the_scheme(self, authorization: str, secret: str | None) -> None:
        assert bearer_token(authorization) == secret

    @pytest.mark.parametrize(
        ("authorization", "shown"),
        [
            ("Bearer sk-1", True),
            ("sk-1", True),
            ("Basic eDp5,Bearer sk-1", True),
            ("Bearer", False),
            ("Basic eDp5", False),
        ],
    )
    def test_is_shown_by_a_bearer_token_or_a_value_without_a_scheme(self, authorization: str, *, shown: bool) -> None:
        assert shows_token(authorization) is shown

    def test_loses_at_most_four_separators(self) -> None:
        assert digest_of("sk-1") in shown_keys("Bearer x sk-1;;;;", "")
        assert digest_of("sk-1 a;") in shown_keys("Bearer sk-1 a;;;;;", "")
        assert digest_of("sk-1 a") not in shown_keys("Bearer sk-1 a;;;;;", "")
