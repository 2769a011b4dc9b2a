"""How an entry becomes a hash: exact bytes, since every log that was ever exported is checked with them. Pure."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from governance.audit.actor import Actor
from governance.audit.chain import (
    GENESIS,
    LARGEST_EXACT_INTEGER,
    canonical_json,
    check_exact,
    encode_leaf,
    entry_hash,
    format_time,
    iter_fields,
    make_salt,
)
from governance.audit.verbs import Verb, verb_choices

TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]))
WHOLE: Final = st.integers(1 - LARGEST_EXACT_INTEGER, LARGEST_EXACT_INTEGER - 1)
JSON: Final = st.recursive(
    st.none() | st.booleans() | TEXT | WHOLE, lambda some: st.lists(some) | st.dictionaries(TEXT, some)
)
INEXACT = "The log takes text, whole numbers, truth values and null, not {}."


class TestCanonicalJson:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ({}, "{}"),
            ({"b": 1, "a": "x"}, '{"a":"x","b":1}'),
            ({"name": "Zoë"}, '{"name":"Zoë"}'),
            ({"a": None, "b": True, "c": False}, '{"a":null,"b":true,"c":false}'),
            ({"a": [1, [2, {"z": 3, "y": 4}]], "b": ("c",)}, '{"a":[1,[2,{"y":4,"z":3}]],"b":["c"]}'),
            (
                {"\ufb33": 1, "\U0001f600": 2, "é": 3},
                '{"é":3,"\U0001f600":2,"\ufb33":1}',
            ),  # by UTF-16, as RFC 8785 says
            ({"a": '\b\t\n\f\r"\\/\x00\x1f\x7f'}, '{"a":"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\x7f"}'),
            ({"a": LARGEST_EXACT_INTEGER - 1}, '{"a":9007199254740991}'),
            ({"a": 1 - LARGEST_EXACT_INTEGER}, '{"a":-9007199254740991}'),
        ],
    )
    def test_is_the_same_bytes_for_ever(self, content: dict[str, Any], expected: str) -> None:
        assert canonical_json(content) == expected.encode()

    @given(JSON)
    def test_is_that_of_another_implementation(self, value: object) -> None:
        check_exact(value)

        assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (0.5, "float"),
            (LARGEST_EXACT_INTEGER, "int"),
            (-LARGEST_EXACT_INTEGER, "int"),
            (b"x", "bytes"),
            ({"x"}, "set"),
            ([1, 0.5], "float"),
            ((1, 0.5), "float"),
            ({"a": {"b": 0.5}}, "float"),
        ],
    )
    def test_refuses_what_would_not_survive_unchanged(self, value: object, kind: str) -> None:
        with pytest.raises(TypeError) as refused:
            check_exact({"value": value})

        assert str(refused.value) == INEXACT.format(kind)

    def test_refuses_a_key_that_is_no_text(self) -> None:
        with pytest.raises(TypeError) as refused:
            check_exact({"outer": {1: "x"}})

        assert str(refused.value) == "A key of the log must be text, not int."


class TestALeaf:
    SALT: Final = bytes(range(16))
    CONTENT: Final = {
        "number": 7,
        "at": "2026-11-02T09:14:00.000000+00:00",
        "verb": "case.noted",
        "actor_kind": "staff",
        "actor_id": "3",
        "actor_name": "Zoë",
        "subject_kind": "case",
        "subject_id": "1",
        "details": {"note": "Looked at it.", "accounts": [1, 2]},
    }
    WRITTEN: Final = {
        "actor": '{"id":"3","kind":"staff","name":"Zoë"}',
        "details.accounts": "[1,2]",
        "details.note": '"Looked at it."',
        "subject": '{"id":"1","kind":"case"}',
    }

    def test_is_the_same_bytes_for_ever(self) -> None:
        commitments = []
        for name, written in self.WRITTEN.items():
            salt = hashlib.sha256(self.SALT + name.encode()).digest()[:16]
            commitments.append(f'"{name}":"{hashlib.sha256(salt + written.encode()).hexdigest()}"')

        assert encode_leaf(self.CONTENT, self.SALT).decode() == (
            f'{{"at":"2026-11-02T09:14:00.000000+00:00","commitments":{{{",".join(commitments)}}},'
            '"number":7,"verb":"case.noted"}'
        )

    def test_commits_to_each_field_by_itself(self) -> None:
        fields = {field.name: canonical_json(field.value).decode() for field in iter_fields(self.CONTENT, self.SALT)}

        assert fields == self.WRITTEN
        assert len({field.salt for field in iter_fields(self.CONTENT, self.SALT)}) == 4

    @pytest.mark.parametrize("change", [{"number": 8}, {"at": "later"}, {"verb": "x"}, {"actor_kind": "system"}])
    @pytest.mark.parametrize("more", [{}, {"details": {}}, {"subject_id": "2"}])
    def test_of_another_entry_is_another(self, change: dict[str, Any], more: dict[str, Any]) -> None:
        assert encode_leaf({**self.CONTENT, **change, **more}, self.SALT) != encode_leaf(self.CONTENT, self.SALT)

    def test_of_the_same_values_is_another_with_another_salt(self) -> None:
        assert encode_leaf(self.CONTENT, bytes(16)) != encode_leaf(self.CONTENT, self.SALT)

    def test_is_salted_by_chance(self) -> None:
        assert len(make_salt()) == 16
        assert make_salt() != make_salt()


class TestAnEntryHash:
    def test_is_that_of_the_hash_before_it_and_the_leaf(self) -> None:
        first = entry_hash(GENESIS, b'{"number":1}')

        assert first == hashlib.sha256(bytes(32) + b'{"number":1}').digest()
        assert entry_hash(first, b'{"number":2}') == hashlib.sha256(first + b'{"number":2}').digest()


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 2, 9, 14, 0, 250, tzinfo=UTC),
        datetime(2026, 11, 2, 11, 14, 0, 250, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_is_written_in_utc_with_six_decimals_wherever_the_machine_is(
    at: datetime, machine_in_tokyo: None
) -> None:
    assert format_time(at) == "2026-11-02T09:14:00.000250+00:00"
    assert format_time(at.replace(microsecond=0)) == "2026-11-02T09:14:00.000000+00:00"


class TestAVerb:
    def test_names_all_that_is_missing_and_all_that_it_does_not_know(self) -> None:
        with pytest.raises(TypeError) as refused:
            Verb.POLICY_WENT_LIVE.check({"scorings": 1, "note": "", "by": ""})

        assert str(refused.value) == (
            "The entry policy.went_live lacks shadow_minutes, does not name by, does not name note: "
            "see governance/audit/verbs.py."
        )

    @pytest.mark.parametrize("details", [{}, {"shadow_minutes": 1}, {"shadow_minutes": 1, "scorings": 1, "more": 1}])
    def test_is_refused_with_too_few_fields_or_too_many(self, details: dict[str, int]) -> None:
        with pytest.raises(TypeError):
            Verb.POLICY_WENT_LIVE.check(details)

    @pytest.mark.parametrize("more", [{}, {"early_because": "x"}])
    def test_is_taken_with_its_own_fields(self, more: dict[str, str]) -> None:
        Verb.POLICY_WENT_LIVE.check({"shadow_minutes": 1, "scorings": 1, **more})

    def test_is_offered_in_words_in_alphabetical_order(self) -> None:
        verbs, words = zip(*verb_choices(), strict=True)

        assert set(verbs) == {str(verb) for verb in Verb}
        assert list(words) == sorted(words)
        assert "Signed in" in words
        assert not [one for one in words if "." in one or "_" in one]


def test_a_part_of_stillwatch_acts_under_its_own_name() -> None:
    assert Actor.system("expiry") == Actor(kind="system", id="expiry", name="expiry")
    assert str(Actor("staff", "7", "Ana")) == "staff:Ana"
