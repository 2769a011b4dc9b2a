"""The labels of a drawing lie apart."""

from governance.review.campaigns.labels import LINE, Label, place_labels


def label(x: float, y: float, *, is_above: bool = False) -> Label:
    return Label(x, y, "acct_harbour", above=-12.0, below=20.0, is_above=is_above)


def test_a_label_with_room_lies_on_the_side_where_it_is_wanted() -> None:
    assert place_labels([label(100, 100), label(500, 100, is_above=True)], height=520) == [20.0, -12.0]


def test_of_two_at_one_place_the_second_lies_on_the_other_side() -> None:
    assert place_labels([label(100, 100), label(110, 100)], height=520) == [20.0, -12.0]


def test_a_third_lies_one_line_further() -> None:
    assert place_labels([label(100, 100), label(110, 100), label(105, 100)], height=520)[2] == 20.0 + LINE


def test_no_label_lies_outside_of_the_drawing() -> None:
    assert place_labels([label(100, 510)], height=520) == [-12.0]
