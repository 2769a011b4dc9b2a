"""JSON taken apart without being parsed: each part as it is written, and a fault where the whole does not hold."""

import pytest

from governance.usage.lenient_json import find_value_end, split_array, split_object


def test_parts_are_given_as_they_are_written() -> None:
    assert list(split_array(' [1, "a,]", {"b": [2]} , [] ] ')) == ["1", '"a,]"', '{"b": [2]}', "[]"]
    assert split_object('{"a" : 1, "b": {"c": "}"}}') == {"a": "1", "b": '{"c": "}"}'}
    assert (list(split_array("[]")), split_object("{ }")) == ([], {})


@pytest.mark.parametrize("text", ["", "1", "{}", "[", "[1", '["a', "[1] 2", "[1}", "[[1]"])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is missing|does not end|something stands after it"):
        list(split_array(text))


@pytest.mark.parametrize("text", ["[]", '{"a"}', "{1: 2}", '{"a": 1', '{"a": 1} x'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is missing|no name|does not end|something stands after it"):
        split_object(text)


@pytest.mark.parametrize(("text", "end"), [("1, 2", 1), ('"a,b" ', 5), ("[1, [2]], 3", 8), ("true]", 4), ("null}", 4)])
def test_a_value_ends_where_it_is_whole(text: str, end: int) -> None:
    assert find_value_end(text, 0) == end


@pytest.mark.parametrize("text", ["", "[1", '"a', '[{"a": 1]'])
def test_a_value_that_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not end"):
        find_value_end(text, 0)
