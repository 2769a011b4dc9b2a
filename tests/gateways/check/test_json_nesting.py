"""JSON that is nested too deep is cut before it is parsed: exact values. Pure."""

import pytest

from governance.gateways.check import json_nesting
from governance.gateways.check.json_nesting import TooManyBracketsError, replace_deep_values


class TestNesting:
    @pytest.mark.parametrize(
        ("document", "deepest", "deepest_array", "left"),
        [
            ('{"a": {"b": 1}}', 1, 1, '{"a": null}'),
            ('{"a": {"b": 1}}', 2, 0, '{"a": {"b": 1}}'),
            ('{"a": [1, {"b": 2}], "c": [3]}', 2, 1, '{"a": null, "c": null}'),
            ('{"a": [1, {"b": 2}], "c": 3}', 2, 2, '{"a": [1, null], "c": 3}'),
            ('[[["x"]], ["]"]]', 2, 2, '[[null], ["]"]]'),
            ("[1], [2]", 0, 0, "null, null"),
            ('{"a": [', 1, 1, '{"a": '),
            ('{"a": "[', 1, 1, '{"a": "['),
            ('[["x', 1, 1, "["),
            ("]]", 1, 1, "]]"),
            ("", 1, 1, ""),
        ],
    )
    def test_is_cut_where_it_is_too_deep(self, document: str, deepest: int, deepest_array: int, left: str) -> None:
        read = replace_deep_values(document.encode(), deepest=deepest, deepest_array=deepest_array)

        assert read == left.encode()

    def test_is_looked_at_beyond_a_thousand_strings(self) -> None:
        strings = '"[",' * 2_500

        assert (
            replace_deep_values(f"[{strings}[1]]".encode(), deepest=1, deepest_array=1) == f"[{strings}null]".encode()
        )

    @pytest.mark.parametrize(("most", "is_read"), [(2, True), (1, False)])
    def test_has_as_many_brackets_as_can_be_looked_at(
        self, most: int, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
    ) -> None:
        monkeypatch.setattr(json_nesting, "MOST_BRACKETS", most)

        if is_read:
            assert replace_deep_values(b"[1]") == b"[1]"
            return
        with pytest.raises(TooManyBracketsError, match=r"^The body has more than 1 brackets\.$"):
            replace_deep_values(b"[1]")

    def test_is_as_deep_as_anything_that_is_read(self) -> None:
        deepest = b"[" * json_nesting.DEEPEST + b"]" * json_nesting.DEEPEST

        assert replace_deep_values(deepest) == deepest
        assert replace_deep_values(b"[" + deepest + b"]") == b"[" * 64 + b"null" + b"]" * 64
