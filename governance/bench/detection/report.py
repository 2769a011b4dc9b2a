"""Detectors side by side, as tables for the terminal and for a page."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from governance.bench.detection import outcome
from governance.bench.detection.measures import Measures, Share, flagged_by_family, measure_world
from governance.bench.detection.world import LabelledWorld
from governance.campaigns.queries import RankedAccount
from governance.detection.scoring import AUTOMATIC_LINE

HEAD: Final = (
    "detector",
    "AUROC",
    "average precision",
    "recall at 0.1 % FP",
    "recall at 1 % FP",
    "precision@50",
    "@200",
    "metadata only, at 0.1 %",
    "worst family, at 0.1 %",
)


class DetectorRow(NamedTuple):
    """One detector: over all accounts, over those that send metadata alone, and by malicious family."""

    name: str
    all: Measures
    metadata: Measures
    families: dict[str, Share]


def measure_detectors(world: LabelledWorld, detectors: Mapping[str, Mapping[str, float]]) -> list[DetectorRow]:
    """Measure detectors, each of which gave the accounts of the world scores."""
    return [measure_detector(name, world, scores) for name, scores in detectors.items()]


def measure_detector(name: str, world: LabelledWorld, scores: Mapping[str, float]) -> DetectorRow:
    overall = measure_world(world, scores)
    without_text = measure_world(world, scores, metadata_only=True)
    return DetectorRow(name, overall, without_text, flagged_by_family(world, scores, above=overall.threshold))


def summary_lines(rows: Sequence[DetectorRow]) -> list[tuple[str, ...]]:
    """A line a detector, under `HEAD`."""
    return [
        (
            one.name,
            f"{one.all.auroc:.3f} ({one.all.auroc_interval[0]:.3f}–{one.all.auroc_interval[1]:.3f})",
            f"{one.all.average_precision:.3f}",
            str(one.all.recall_strict),
            str(one.all.recall_percent),
            _plain(one.all.precision_50),
            _plain(one.all.precision_200),
            str(one.metadata.recall_strict),
            _worst(one.families),
        )
        for one in rows
    ]


def family_lines(rows: Sequence[DetectorRow]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A line a malicious family under the detectors' names: how many of it each finds at 0.1 % false positives."""
    head = ("family", *(one.name for one in rows))
    names = rows[0].families if rows else {}
    return head, [(family, *(_as_fraction(one.families[family]) for one in rows)) for family in names]


def print_table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]], console: Console) -> None:
    table = Table(*head, title=title, title_justify="left")
    for line in lines:
        table.add_row(*line)
    console.print(table)


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def backtest_table(
    world: LabelledWorld, places: Mapping[str, RankedAccount], seconds: float
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Whom it flagged in the time of the events, and how early."""
    flags = outcome.flag_shares(world, places, automatic_line=AUTOMATIC_LINE)
    early = outcome.detection_times(world, places)
    family, worst = flags.worst
    return ("measure", "result"), [
        ("harvests put before a reviewer", f"{flags.harvests.hits} of {flags.harvests.of}: {flags.harvests}"),
        ("others put before a reviewer", f"{flags.others.hits} of {flags.others.of}: {flags.others}"),
        ("worst family of others", f"{family}, {worst.hits} of {worst.of}: {worst}"),
        ("others beyond the automatic line", str(flags.automatic_others)),
        ("requests before the flag, harvests by themselves, median", f"{early.alone:.0f}"),
        ("requests before the flag, members of campaigns, median", f"{early.members:.0f}"),
        ("seconds for all of it", f"{seconds:.0f}"),
    ]


def campaign_table(
    world: LabelledWorld, places: Mapping[str, RankedAccount]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Each true campaign beside the group that was found in its place."""
    head = ("campaign", "members", "found", "purity", "sent before half were flagged", "sent before half had begun")
    return head, [
        (
            one.name,
            str(one.members),
            f"{one.recall:.2f}",
            f"{one.purity:.2f}",
            f"{one.harvested:.1%}",
            f"{one.floor:.1%}",
        )
        for one in outcome.match_campaigns(world, places)
    ]


def _worst(families: Mapping[str, Share]) -> str:
    if not families:
        return "–"
    family = min(families, key=lambda name: families[name].value)
    return f"{_as_fraction(families[family])} {family}"


def _as_fraction(share: Share) -> str:
    return f"{share.hits}/{share.of}"


def _plain(share: Share) -> str:
    return f"{share.value:.2f}" if share.of else "–"
