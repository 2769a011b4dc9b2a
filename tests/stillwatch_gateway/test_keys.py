"""The keys that a request may show, read from its headers. Pure."""

import pytest

from stillwatch_gateway.keys import MOST_WORDS, UnreadableKeysError, digest, shown_keys

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
