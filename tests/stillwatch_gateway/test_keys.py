"""The keys that a request may show, read from its headers. Pure."""

import hashlib

import pytest

from stillwatch_gateway.keys import (
    MOST_WORDS,
    UnreadableKeysError,
    bearer_token,
    by_key,
    digest,
    shown_keys,
    shows_token,
)

WAYS = [
    "{}", "Bearer {}", "bearer  {} ", "Bearer Bearer {}", "Bearer {} x", "{} x", "Bearer x {} y", "Bearer {};",
    "Bearer:{}", "Bearer={}", "Bearer <{}>", "Bearer: {}", "Bearer\t{}\ty",
    'Bearer "{}"', "Bearer '{}';", 'Token token="{}"', "Token token={}, x=y",
    "Bearer {},good", "good,Bearer {}", "Bearer good, Bearer {}, Bearer other", 'a b c d e f "{}" g h i j',
]  # fmt: skip
KEYS = ["sk-blocked", "sk,comma", "a,b,c,d", "sk:colon=1", "c2s=", "{sk}", "sk;a"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", WAYS)
def test_are_found_however_they_stand_in_either_header(way: str, key: str) -> None:
    shown = way.format(key)

    assert digest(key) in shown_keys(shown, "")
    assert digest(key) in shown_keys("", shown)
    assert digest(key) in shown_keys("Bearer good", shown)


@pytest.mark.parametrize("value", ["sk, comma,good", "good ,sk ,comma", "Bearer good,Bearer sk, comma"])
def test_are_found_where_a_proxy_wrote_the_list_again(value: str) -> None:
    assert digest("sk,comma") in shown_keys(value, "")


@pytest.mark.parametrize("key", ["sk blocked", "sk a b c"])
def test_may_hold_spaces(key: str) -> None:
    assert digest(key) in shown_keys(f"Bearer {key}", "")
    assert digest(key) in shown_keys("", f"good, {key}, good")


def test_are_one_as_a_rule() -> None:
    assert shown_keys("Bearer sk-1", "") == shown_keys("", "sk-1") == [digest("sk-1")]


@pytest.mark.parametrize("between", [" ", ",", ";"])
def test_are_not_looked_for_among_more_words_than_any_credential_has(between: str) -> None:
    most = between.join(["x"] * (MOST_WORDS - 1) + ["sk-blocked"])

    assert digest("sk-blocked") in shown_keys(most, "")
    with pytest.raises(UnreadableKeysError):
        shown_keys("", f"{most}{between}x")


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer sk", "sk"),
        ("bearer  s k ", "s k"),
        ("BEARER sk", "sk"),
        ("Bearer", None),
        ("", None),
        ("Basic sk", None),
        ("sk Bearer", None),
    ],
)
def test_a_bearer_token_is_what_follows_the_scheme(authorization: str, token: str | None) -> None:
    assert bearer_token(authorization) == token


@pytest.mark.parametrize(
    ("authorization", "shown"),
    [
        ("Bearer sk", True),
        ("sk", True),
        ("Bearer", False),
        ("", False),
        ("Basic dXNlcg==", False),
        ("Basic dXNlcg==, Bearer sk", True),
        ("Basic a, BEARER", False),
    ],
)
def test_a_token_is_shown_with_the_bearer_scheme_or_without_any(authorization: str, *, shown: bool) -> None:
    assert shows_token(authorization) is shown


def test_a_digest_is_that_of_the_bytes_of_the_header() -> None:
    assert digest("sk-ü") == hashlib.sha256(b"sk-\xfc").hexdigest()
    assert digest("sk-客") == hashlib.sha256(b"sk-?").hexdigest()


def test_several_are_told_once_each_and_the_first_apart() -> None:
    headers = {"authorization": "Bearer sk-1", "x-api-key": "sk-2"}

    assert by_key(headers) == {"digest": digest("sk-1"), "also": [f"digest:{digest('sk-2')}"]}
    assert by_key({"x-api-key": "sk-2"}) == {"digest": digest("sk-2"), "also": []}
    assert by_key({}) == {"digest": None, "also": []}
    assert shown_keys("Bearer sk-1", "sk-1") == [digest("sk-1")]


def texts(value: str) -> set[str]:
    """The digests of all that a header may show."""
    return set(shown_keys("", value))


def test_one_with_spaces_goes_over_as_many_values_as_a_name_has_and_no_more() -> None:
    assert digest("b,c,d,e") in texts("a b,c,d,e,f x")
    assert digest("b,c,d,e,f") not in texts("a b,c,d,e,f x")


def test_one_with_many_spaces_goes_over_several_values_from_any_word_on() -> None:
    assert digest("s k 1 x y,b c") in texts("a s k 1 x y,b c,more")


def test_both_headers_are_looked_at_where_neither_is_plain() -> None:
    shown = shown_keys("Token a b", "sk 2")

    assert {digest("b"), digest("sk 2")} <= {*shown}


@pytest.mark.parametrize(("behind", "found"), [(";", True), (";;;;", True), ("; ; ;", True), (";;;;;", False)])
def test_separators_are_taken_off_up_to_four(behind: str, *, found: bool) -> None:
    assert (digest("sk\u00e9(1") in texts(f"sk\u00e9(1{behind}")) is found


def test_a_header_with_too_many_words_says_how_many_are_looked_at() -> None:
    with pytest.raises(UnreadableKeysError, match=r"^The headers that show API keys have more than 64 words\.$"):
        shown_keys(" ".join("x" * 65), "")
