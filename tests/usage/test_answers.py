"""Answers that are reported: what is kept of them, what is refused, and that their text is nowhere."""

import json
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from governance.usage.actions import IntakeResult, record_lines
from governance.usage.answers import AnswerFingerprint, AnswerText, answer_fingerprints
from governance.usage.fingerprint import fingerprint
from governance.usage.models import UsageEvent
from tests.factories import NOW, line

KEY = b"a key of the installation"
WORDS = " ".join(f"harbour{number} lights{number * 7} glow{number * 13}" for number in range(60))
LIST = "\n".join(f"{number}. A question about subject {number}, asked in full." for number in range(1, 21))


def answered(output: object, **request: Any) -> AnswerFingerprint | None:
    return answer_fingerprints([AnswerText(output, **request)], key=KEY)[0]


def asked(text: str) -> tuple[int, ...]:
    found = fingerprint(prompt=text, key=KEY)
    assert found is not None
    return found.shingles


class TestFingerprintOfAnAnswer:
    def test_has_the_runs_that_a_prompt_of_the_same_words_has(self) -> None:
        found = answered(WORDS, prompt="What do you see at night?")

        assert found is not None
        assert len(found.runs) == 8
        assert found.runs == asked(WORDS)

    def test_has_none_of_its_own_request(self) -> None:
        messages = [{"role": "user", "content": "Correct this."}, {"role": "assistant", "content": WORDS}]

        assert answered(WORDS, messages=messages) == AnswerFingerprint(chars=len(WORDS))
        assert answered(WORDS, prompt=f"Correct this: {WORDS}") == AnswerFingerprint(chars=len(WORDS))

    def test_is_keyed(self) -> None:
        found, other = (answer_fingerprints([AnswerText(WORDS)], key=key)[0] for key in (KEY, b"another"))

        assert found is not None
        assert other is not None
        assert not set(found.runs) & set(other.runs)

    @pytest.mark.parametrize(
        ("output", "chars", "items"),
        [
            ("Yes.", 4, 0),
            (["Yes.", "No."], 8, 0),
            ([{"type": "text", "text": "Yes."}], 4, 0),
            ([{"role": "assistant", "content": "Yes."}], 4, 0),
            (LIST, len(LIST), 20),
            ("- tea\n* milk\n• salt\n  3) oil", 28, 4),
            ("A dash - no item\n-5 degrees\n1.5 litres", 38, 0),
        ],
    )
    def test_counts_characters_and_items_of_lists(self, output: object, chars: int, items: int) -> None:
        found = answered(output)

        assert found is not None
        assert (found.chars, found.items) == (chars, items)

    @pytest.mark.parametrize("output", [None, "", [], 7, {}, [None, 7, {"text": 7}], [{"content": {"a": "b"}}]])
    def test_is_none_without_text(self, output: object) -> None:
        assert answered(output) is None

    @given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["content", "text", "role"]), inner)))  # fmt: skip
    def test_takes_whatever_json_can_hold(self, output: object) -> None:
        answered(output, messages=output, prompt=output)

    def test_keeps_digests_of_reasoning_without_text(self) -> None:
        found = answered(None, reasoning=["sig_1", "sig_2", "sig_1"])

        assert found is not None
        assert (len(found.reasoning), found.runs, found.chars) == (2, (), 0)

    def test_of_a_long_answer_reads_the_beginning_and_the_end(self) -> None:
        middle = " ".join(f"filler{number}" for number in range(20_000))

        found = answered(f"{WORDS} {middle} {WORDS}")

        assert found is not None
        assert found.chars > 200_000
        assert found.runs


def record(*lines: bytes) -> IntakeResult:
    return record_lines(lines, source="native", now=NOW)


@pytest.mark.django_db
class TestOnTheWire:
    @pytest.mark.parametrize(
        ("members", "reason"),
        [
            ({"output": 7}, "output must be"),
            ({"output": {"text": "SECRETWORDS"}}, "output must be"),
            ({"reasoning_digests": "SECRETWORDS"}, "reasoning_digests must be"),
            ({"reasoning_digests": ["x" * 257]}, "reasoning_digests"),
            ({"reasoning_digests": ["x"] * 65}, "reasoning_digests"),
            ({"reasoning_digests": [7]}, "reasoning_digests"),
            ({"output_fingerprint": {"runs": list(range(9))}}, "output_fingerprint.runs"),
            ({"output_fingerprint": {"runs": [2**63]}}, "output_fingerprint.runs"),
            ({"output_fingerprint": {"chars": -1}}, "output_fingerprint.chars"),
            ({"output_fingerprint": "SECRETWORDS"}, "output_fingerprint must be"),
        ],
    )
    def test_what_does_not_fit_is_named_and_not_quoted(self, members: dict[str, Any], reason: str) -> None:
        outcome = record(line(**members), line())

        assert (outcome.accepted, len(outcome.rejected)) == (1, 1)
        assert reason in outcome.rejected[0].reason
        assert "SECRETWORDS" not in outcome.rejected[0].reason

    @pytest.mark.parametrize(
        "members",
        [
            {"output": None},
            {"output": ""},
            {"output": []},
            {"output": "a\0b \ud83d %s '; --"},
            {"output": ["\0", None, {"text": "\ud83d"}]},
            {"output": "[" * 50_000},
            {"output_fingerprint": None, "reasoning_digests": None},
            {"output_fingerprint": {}},
            {"output_fingerprint": {"runs": [-(2**63), 2**63 - 1, 0], "reasoning": [-1, 2**62]}},
            {"reasoning_digests": ["", "\0", "\ud83d"]},
            {"output": "An answer.", "output_fingerprint": {"chars": 10}, "reasoning_digests": ["sig"]},
            {"output": "An answer.", "messages": [{"role": "user", "content": "\0"}]},
        ],
    )
    def test_what_fits_is_taken(self, members: dict[str, Any]) -> None:
        assert record(line(**members)).accepted == 1

    def test_a_fingerprint_that_the_gateway_made_counts_like_the_text(self) -> None:
        made = answer_fingerprints([AnswerText(WORDS, prompt="What?")], key=settings.FINGERPRINT_KEY)[0]

        record(line(account="acct_text", prompt="What?", output=WORDS))
        record(line(account="acct_made", prompt="What?", output_fingerprint=msgspec.to_builtins(made)))

        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT answers FROM usage_profiledelta")
            ((answers,),) = cursor.fetchall()
        assert made is not None
        assert made.runs
        assert len(bytes(answers)) == 8 * len(made.runs)

    def test_the_text_is_dropped(self, caplog: pytest.LogCaptureFixture, all_text: Callable[[], str]) -> None:
        caplog.set_level(logging.DEBUG)

        record(
            line(id="evt_1", prompt="What do you see?", output=f"SECRETWORDS {WORDS}", reasoning_digests=["SECRETSIG"]),
            line(id="evt_2", output=["SECRETWORDS"], input_tokens="SECRETWORDS"),
        )

        assert UsageEvent.objects.get().event_id == "evt_1"
        stored = all_text()
        assert "evt_1" in stored
        for word in ("SECRETWORDS", "SECRETSIG", "harbour7", "lights49"):
            assert word not in stored
            assert word not in caplog.text


@pytest.fixture
def all_text() -> Callable[[], str]:
    """Everything in every table of the database, as text; bytes as they are, where they are text."""

    def read() -> str:
        found = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT to_jsonb(one)::text FROM {connection.ops.quote_name(table)} AS one")  # noqa: S608 - our own tables
                found += [row for (row,) in cursor.fetchall()]
        return "\n".join(found + [_of_bytes(row) for row in found])

    return read


def _of_bytes(row: str) -> str:
    values = [value for value in json.loads(row).values() if isinstance(value, str) and value.startswith("\\x")]
    return "\n".join(bytes.fromhex(value[2:]).decode(errors="replace") for value in values)
