"""The names by which a request may be known, in every reading: exact lists. Pure."""

import os
from typing import Any

import pytest

from stillwatch_gateway.naming import (
    LITELLMS_OWN,
    LONGEST_ENCODED,
    LONGEST_INSTANCE,
    LONGEST_NAME,
    adjacent_values,
    comma_spacings,
    given_names,
    is_instance_name,
    lasting_key,
    litellm_account,
    plain_names,
    possible_names,
    read_name,
    read_names,
    split_header_values,
    this_process,
)
from stillwatch_gateway.normalization import (
    is_nothing,
    name_of,
    normalize_digest,
    normalize_id,
    normalize_name,
    says_none,
)

COMBINING, COMPOSED = "acct_e\u0301", "acct_é"
NO_TEXT = "The name of the account cannot be read: it is no text."
BLANK = "The name of the account cannot be read: it is blank. Leave it out where there is none."
NUL = "The name of the account cannot be read: it holds NUL, which no name does."
TOO_LONG = "The name of the account cannot be read: at most 200 characters, as UTF-8."


class TestOneSpelling:
    @pytest.mark.parametrize("value", [None, "", " ", "none", "None", " NULL ", "undefined"])
    def test_of_nothing(self, value: object) -> None:
        assert is_nothing(value)

    @pytest.mark.parametrize("value", ["nobody", "0", 0, [], False, "none such"])
    def test_of_something(self, value: object) -> None:
        assert not is_nothing(value)

    def test_of_nothing_in_words_is_not_blank(self) -> None:
        assert says_none(" Null ")
        assert not says_none("")

    def test_of_an_id_keeps_its_case_and_composes_it(self) -> None:
        assert normalize_id(" Acct_1\n") == "Acct_1"
        assert normalize_id(f" {COMBINING} ") == COMPOSED

    def test_of_a_digest_is_in_lower_case(self) -> None:
        assert normalize_digest(" AB12 ") == "ab12"

    def test_of_a_name_has_its_kind_before_it(self) -> None:
        assert (name_of("account", " Ab "), name_of("digest", " Ab ")) == ("account:Ab", "digest:ab")
        assert (normalize_name("account: A:b "), normalize_name("digest:AB")) == ("account:A:b", "digest:ab")

    def test_refuses_bytes(self) -> None:
        with pytest.raises(TypeError):
            name_of("account", b"a")  # type: ignore[arg-type]


class TestTheNameOfAProcess:
    def test_is_one_that_none_had_before(self) -> None:
        first, second = this_process(), this_process()

        assert first != second
        assert first.rpartition("-")[0] == second.rpartition("-")[0]
        assert first.rpartition("-")[0].endswith(f"-{os.getpid()}")
        assert len(first.rpartition("-")[2]) == 6
        assert is_instance_name(first)

    @pytest.mark.parametrize("name", ["a", "x" * LONGEST_INSTANCE, "web 1"])
    def test_is_taken(self, name: str) -> None:
        assert is_instance_name(name)

    @pytest.mark.parametrize("name", ["", " ", "x" * (LONGEST_INSTANCE + 1), "a\nb", None, 7])
    def test_is_not_taken(self, name: object) -> None:
        assert not is_instance_name(name)


class TestValuesOfAHeader:
    @pytest.mark.parametrize(
        ("value", "values"),
        [(" a ", ["a"]), ("a,b", ["a,b", "a", "b"]), (" a , b ", ["a , b", "a", "b"]), (",", [",", "", ""])],
    )
    def test_are_the_whole_and_its_parts(self, value: str, values: list[str]) -> None:
        assert split_header_values(value) == values

    @pytest.mark.parametrize(
        ("text", "written"), [(" a ", ["a"]), (" a ,b ", ["a ,b", "a, b", "a,b"]), ("a, b", ["a, b", "a, b", "a,b"])]
    )
    def test_are_written_with_a_space_after_each_comma_and_without(self, text: str, written: list[str]) -> None:
        assert list(comma_spacings(text)) == written

    def test_stand_beside_up_to_three_others(self) -> None:
        found = list(adjacent_values("a,b,c,d,e"))

        plain = [text for text in found if " " not in text]
        assert list(dict.fromkeys(plain)) == [
            "a", "a,b", "a,b,c", "a,b,c,d", "b", "b,c", "b,c,d", "b,c,d,e", "c", "c,d", "c,d,e", "d", "d,e", "e",
        ]  # fmt: skip
        assert "a, b, c, d" in found

    @pytest.mark.parametrize(
        ("starts", "texts"), [([2], ["b", "b,c"]), ([3], ["", ",c"]), ([1], ["", ",b", ",b,c"]), ([], [])]
    )
    def test_begin_where_they_are_said_to(self, starts: list[int], texts: list[str]) -> None:
        assert [text for text in adjacent_values("a,b,c", starts) if " " not in text and text != ""] == [
            *(one for text in texts for one in [text] * (2 if "," in text else 1) if one)
        ]


class TestPossibleNames:
    @pytest.mark.parametrize(
        ("value", "names"),
        [
            (" acct_1 ", ["acct_1"]),
            ("50%25", ["50%25", "50%"]),
            ("a%20b", ["a%20b", "a b"]),
            ("%C3%BC", ["%C3%BC", "ü"]),
            ("%FC", ["%FC", "ü"]),
            ("ü", ["ü"]),
            ("Ã¼", ["Ã¼", "ü"]),
            ("客", ["客"]),
            (COMBINING, [COMPOSED]),
            ("\ud800", ["\ud800"]),
        ],
    )
    def test_are_every_reading(self, value: str, names: list[str]) -> None:
        assert possible_names(value) == names


class TestReadingAName:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (5, ([], NO_TEXT)),
            (None, ([], NO_TEXT)),
            ("acct_1", (["account:acct_1"], "")),
            ("50%25", (["account:50%25", "account:50%"], "")),
            ("None", ([], "")),
            ("%6eull", (["account:%6eull"], "")),
            ("", ([], BLANK)),
            (" ", ([], BLANK)),
            ("%20", (["account:%20"], BLANK)),
            ("\u200b", (["account:\u200b", "account:â\x80\x8b"][:1], BLANK)),
            ("a\0", (["account:a\0"], NUL)),
            ("a%00", (["account:a%00", "account:a\0"], NUL)),
            ("x" * LONGEST_NAME, ([f"account:{'x' * LONGEST_NAME}"], "")),
            ("x" * (LONGEST_NAME + 1), ([], TOO_LONG)),
            ("\ud800", ([], BLANK)),
            ("a\ud800", ([], TOO_LONG)),
            ("客" * LONGEST_NAME, ([f"account:{'客' * LONGEST_NAME}"], "")),
            ("%78" * LONGEST_NAME, ([f"account:{'x' * LONGEST_NAME}"], "")),
        ],
    )
    def test_gives_every_name_and_what_is_wrong(self, value: object, expected: tuple[list[str], str]) -> None:
        assert read_name("account", value) == expected

    def test_looks_at_no_more_than_any_name_has(self) -> None:
        longest = "%F0%9F%98%80" * LONGEST_NAME

        assert len(longest) == LONGEST_ENCODED
        assert read_name("account", longest) == ([f"account:{'😀' * LONGEST_NAME}"], "")
        assert read_name("account", longest + "x") == ([], TOO_LONG)

    def test_of_a_digest_is_in_lower_case(self) -> None:
        assert read_name("digest", "AB") == (["digest:ab"], "")

    def test_of_several_gives_the_first_fault(self) -> None:
        given: list[tuple[str, object]] = [
            ("account", None), ("account", ""), ("key", "k"), ("account", 5), ("account", " "), ("digest", "AB"),
        ]  # fmt: skip

        assert read_names(given) == (["key:k", "digest:ab"], NO_TEXT)
        assert read_names([]) == ([], "")


class TestGivenNames:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (("a", "k", "DD", "o", ()), (["account:a", "key:k", "digest:dd", "organisation:o"], "")),
            ((None, None, None, None, ()), ([], "")),
            (("None", "null", "undefined", "NONE", ("key:none",)), ([], "")),
            ((None, None, None, None, ("key: k ", "digest:AB")), (["key:k", "digest:ab"], "")),
            (("50%25", None, None, None, ("key:k",)), (["account:50%25", "account:50%", "key:k"], "")),
            ((None, None, None, None, ("key:a:50%25",)), (["key:a:50%25", "key:a:50%"], "")),
            ((" ", "k", None, None, ()), (["key:k"], BLANK)),
            (("a\0", None, None, None, ()), (["account:a\0"], NUL)),
            ((5, "k", None, None, ()), (["key:k"], NO_TEXT)),
            ((b"a", "k", None, None, ()), (["key:k"], NO_TEXT)),
            ((None, "ü", None, None, ()), (["key:ü"], "")),
            (("x" * 201, "k", None, None, ()), (["key:k"], TOO_LONG)),
            (("x" * 200, "k" * 200, None, None, ()), ([f"account:{'x' * 200}", f"key:{'k' * 200}"], "")),
            ((None, None, "%41", "%41", ()), (["digest:%41", "digest:a", "organisation:%41", "organisation:A"], "")),
        ],
    )
    def test_are_read_one_by_one_where_they_are_not_plain(self, given: Any, expected: tuple[list[str], str]) -> None:
        assert given_names(*given) == expected


class TestPlainNames:
    """What can be read in one way only is not read one by one."""

    @pytest.mark.parametrize(
        ("given", "names"),
        [
            ((None, None, None, None, ()), []),
            (("", "", "", "", ()), []),
            (("a", None, None, None, ()), ["account:a"]),
            ((None, "k", None, None, ()), ["key:k"]),
            ((None, None, "DD", None, ()), ["digest:dd"]),
            ((None, None, None, "o", ()), ["organisation:o"]),
            (("a", "k", "DD", "o", ("key:l", "digest:EE")), [
                "account:a", "key:k", "digest:dd", "organisation:o", "key:l", "digest:ee",
            ]),
            (("None", "k", None, None, ()), ["key:k"]),
            (("a", "None", None, None, ()), ["account:a"]),
            ((None, None, "None", "o", ()), ["organisation:o"]),
            ((None, None, "dd", "None", ()), ["digest:dd"]),
            ((None, None, None, None, ("key:none", "key:k:none", "account:a")), ["key:k:none", "account:a"]),
            (("x" * 191, None, None, None, ()), [f"account:{'x' * 191}"]),
            (("x" * 192, None, None, None, ()), None),
            (("50%", None, None, None, ()), None),
            ((" ", "k", None, None, ()), None),
            (("k", " ", None, None, ()), None),
            (("a\0", None, None, None, ()), None),
            (("\x01", None, None, None, ()), None),
            (("ü", None, None, None, ()), None),
            ((5, None, None, None, ()), None),
            ((None, b"k", None, None, ()), None),
            ((None, None, None, None, (5,)), None),
        ],
    )  # fmt: skip
    def test_are_all_that_are_given_or_none_where_one_is_not_plain(self, given: Any, names: list[str] | None) -> None:
        assert plain_names(*given) == names

    def test_hold_no_sign_that_nobody_sees(self) -> None:
        assert given_names("\x01", None, None, None, ()) == (["account:\x01"], BLANK)


class TestTheAccountBehindLiteLlm:
    @pytest.mark.parametrize(
        ("team", "user", "key", "account"),
        [
            ("t", "u", "k", "t"),
            (None, "u", "k", "u"),
            ("", "None", "k", "k"),
            ("default_user_id", "litellm_proxy_master_key", "hashed-jwt-1", None),
            (None, None, None, None),
        ],
    )
    def test_is_the_team_or_the_user_or_the_key(
        self, team: str | None, user: str | None, key: str | None, account: str | None
    ) -> None:
        assert litellm_account(team, user, key) == account

    @pytest.mark.parametrize("own", sorted(LITELLMS_OWN))
    def test_is_none_of_its_own(self, own: str) -> None:
        assert litellm_account(own, None, "k") == "k"

    @pytest.mark.parametrize(
        ("key", "lasting"),
        [("k", "k"), (None, None), ("null", None), ("hashed-jwt-1", None), ("x-hashed-jwt-", "x-hashed-jwt-")],
    )
    def test_is_no_token_of_an_hour(self, key: str | None, lasting: str | None) -> None:
        assert lasting_key(key) == lasting
