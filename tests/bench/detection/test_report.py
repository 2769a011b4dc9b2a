import io

from rich.console import Console

from governance.bench.detection import report
from tests.bench.detection.worlds import customer, world

WORLD = world(
    customer("ana", texts=["Hello."]),
    customer("ben"),
    customer("hugo", "malicious", family="evolution", texts=["Rewrite it harder."]),
    customer("ivan", "malicious", family="evolution"),
    customer("jana", "malicious", family="slow_and_low"),
)
GOOD = {"ana": 1.0, "ben": 2.0, "hugo": 9.0, "ivan": 8.0, "jana": 1.5}
BLIND = dict.fromkeys(GOOD, 1.0)


class TestAReport:
    def test_has_a_line_a_detector(self) -> None:
        good, blind = report.summary_lines(report.measure_detectors(WORLD, {"good": GOOD, "blind": BLIND}))

        assert len(good) == len(blind) == len(report.HEAD)
        assert good[0] == "good"
        assert good[3] == "66.7 % (20.8–93.9)"
        assert blind[1].startswith("0.000")

    def test_names_the_family_that_is_found_least(self) -> None:
        (line,) = report.summary_lines(report.measure_detectors(WORLD, {"good": GOOD}))

        assert line[-1] == "0/1 slow_and_low"

    def test_has_a_line_a_family(self) -> None:
        head, lines = report.family_lines(report.measure_detectors(WORLD, {"good": GOOD, "blind": BLIND}))

        assert head == ("family", "good", "blind")
        assert lines == [("evolution", "2/2", "0/2"), ("slow_and_low", "0/1", "0/1")]

    def test_is_a_table_in_markdown(self) -> None:
        head, lines = report.family_lines(report.measure_detectors(WORLD, {"good": GOOD}))

        assert report.markdown(head, lines).splitlines() == [
            "| family | good |",
            "| --- | --- |",
            "| evolution | 2/2 |",
            "| slow_and_low | 0/1 |",
        ]

    def test_is_a_table_in_the_terminal(self) -> None:
        terminal = io.StringIO()

        lines = report.summary_lines(report.measure_detectors(WORLD, {"good": GOOD}))
        report.print_table("Detectors", report.HEAD, lines, Console(file=terminal, width=220))

        assert "0/1 slow_and_low" in terminal.getvalue()
