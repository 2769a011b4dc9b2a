"""The findings of an assessment as the page of a case shows them."""

from typing import Any, NamedTuple

from governance.detection.detectors import all_detectors
from governance.detection.figures import figure_label
from governance.review.wording import format_figure


class FindingRow(NamedTuple):
    """A finding on the page. `description` is in paragraphs, `bar` is its points in hundredths of the case's
    largest.
    """

    title: str
    sentence: str
    points: int
    bar: float
    harmless: str
    description: list[str]
    figures: list[tuple[str, str]]

    @property
    def size(self) -> int:
        return abs(self.points)


def finding_rows(findings: list[dict[str, Any]]) -> list[FindingRow]:
    described = {detector.name: detector.description for detector in all_detectors()}
    largest = max((abs(finding["points"]) for finding in findings), default=0) or 1
    return [
        FindingRow(
            title=finding["title"],
            sentence=finding["sentence"].replace(" %", "\N{NO-BREAK SPACE}%"),
            points=finding["points"],
            bar=round(100 * abs(finding["points"]) / largest, 1),
            harmless=finding["harmless"],
            description=_paragraphs(described.get(finding["detector"], "")),
            figures=[(figure_label(name), format_figure(name, value)) for name, value in finding["evidence"].items()],
        )
        for finding in sorted(findings, key=lambda finding: -finding["points"])
    ]


def _paragraphs(text: str) -> list[str]:
    """Without the line breaks of the source."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
