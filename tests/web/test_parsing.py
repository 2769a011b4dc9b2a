"""What machines send: JSON that could be meant in one way only."""

from io import BytesIO
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from governance.web.parsing import DEEPEST, BoundedJsonParser


def parse(text: bytes) -> Any:
    return BoundedJsonParser().parse(BytesIO(text))


def nested(depth: int, *, opens: str = "[", closes: str = "]") -> bytes:
    return (opens * depth + "1" + closes * depth).encode()


def test_json_is_read_with_a_byte_order_mark_or_without() -> None:
    assert parse(b'{"a": [1.5, null]}') == parse(b'\xef\xbb\xbf{"a": [1.5, null]}') == {"a": [1.5, None]}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a": 1, "a": 2}', "a"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"[1e999]", "is too large"),
        (b"\xff", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (nested(DEEPEST + 1), "at most 64 deep"),
        (nested(DEEPEST + 1, opens='{"a":', closes="}"), "at most 64 deep"),
        (nested(100_000), "at most 64 deep"),
    ],
)
def test_what_may_be_meant_otherwise_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(ParseError, match=why):
        parse(text)


def test_json_may_be_nested_as_deep_as_anything_here_is() -> None:
    assert parse(nested(DEEPEST - 1)) is not None
