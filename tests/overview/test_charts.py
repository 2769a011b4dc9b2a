import pytest

from governance.overview.charts import ChartSeries, draw_side_by_side, draw_stacked, round_up


@pytest.mark.parametrize(("most", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (10, 10), (11, 20), (450, 1000)])
def test_the_upper_edge_is_a_round_number_with_a_whole_half(most: int, top: int) -> None:
    assert round_up(most) == top


class TestStacked:
    def test_puts_one_value_on_the_other_in_proportion(self) -> None:
        chart = draw_stacked(["a"], [ChartSeries("low", "l", [1]), ChartSeries("high", "h", [3])])

        [column] = chart.columns
        assert chart.top == 4
        assert [(piece.y, piece.height, piece.style) for piece in column.pieces] == [
            (75.0, 25.0, "l"),
            (0.0, 75.0, "h"),
        ]
        assert column.label == "a: low 1, high 3"

    def test_draws_nothing_for_nothing_and_something_for_little(self) -> None:
        chart = draw_stacked(["a", "b"], [ChartSeries("x", "x", [0, 1_000]), ChartSeries("y", "y", [1, 0])])

        assert [[piece.height for piece in column.pieces] for column in chart.columns] == [[1.5], [100.0]]


class TestSideBySide:
    def test_shares_a_column_between_its_series(self) -> None:
        chart = draw_side_by_side(["a", "b"], [ChartSeries("x", "x", [1, 2]), ChartSeries("y", "y", [2, 0])])

        assert chart.width == 20
        assert [(piece.x, piece.width) for piece in chart.columns[0].pieces] == [(1.0, 4.0), (5.0, 4.0)]
        assert chart.ends == ["a", "b"]

    def test_of_nothing_is_empty(self) -> None:
        assert draw_side_by_side([], [ChartSeries("x", "x", [])]).ends == []
