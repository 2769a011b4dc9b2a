"""What a benchmark has measured, and the table of it."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ratio` compares `value` with something measured in the same run: `against`."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""


def describe_machine() -> str:
    """What it was measured on, in a line."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores of {_processor()}, {memory:.0f} GiB, Python {platform.python_version()}"


def print_figures(figures: Sequence[Figure], console: Console) -> None:
    table = Table("Figure", "Value", "Unit", "Ratio", "Against", title=describe_machine(), title_justify="left")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.1f}"
        table.add_row(figure.name, value, figure.unit, ratio, figure.against)
    console.print(table)


def write_figures(figures: Sequence[Figure], file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    results = {"machine": describe_machine(), "figures": {figure.name: asdict(figure) for figure in figures}}
    file.write_text(json.dumps(results, indent=2) + "\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
