"""Detectors: each examines an account's usage for one thing, one file each.

What speaks against the account is in `against/`, what speaks for it in `in_favour/`. A detector's file holds

- a docstring: its title on the first line, then its description, both shown on the case page and in the docs;
- `FAMILY`, the kind of evidence, `Family.HARMLESS` for every detector in favour; `VERSION`, which changes with its
  meaning; `WEIGHT`, its points at full strength, negative for a detector in favour; `HARMLESS`, the likeliest
  innocent reason for what it sees, in one sentence;
- `detect(usage, *, …) -> Finding | None`, pure, whose keyword-only arguments with defaults are its tunables.

To add a detector, put such a file into one of the two folders, and its test beside the others.
"""

import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from governance.detection.detectors import against, in_favour
from governance.detection.finding import Family, Finding
from governance.usage.account_usage import AccountUsage


class DetectorError(Exception):
    """A file in a folder of detectors does not have what a detector needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A detector, read from its file."""

    name: str
    title: str
    description: str
    family: Family
    version: int
    weight: float
    harmless: str
    detect: Callable[..., Finding | None]

    def finding(self, usage: AccountUsage, **tunables: Any) -> Finding | None:
        """Return the detector's finding with its own name, title and version, or None for strength 0 or no finding."""
        finding = self.detect(usage, **tunables)
        if finding is None or finding.strength == 0:
            return None
        return replace(
            finding,
            detector=self.name,
            title=self.title,
            family=self.family,
            version=self.version,
            harmless=self.harmless,
        )


@cache
def all_detectors() -> tuple[Detector, ...]:
    """Return the detectors of both folders, ordered by name.

    Raises DetectorError for a file that lacks what a detector needs, and for two files of the same name.
    """
    detectors = [
        detector_from(import_module(f"{folder.__name__}.{found.name}"))
        for folder in (against, in_favour)
        for found in pkgutil.iter_modules(folder.__path__)
    ]
    names = Counter(detector.name for detector in detectors)
    if repeated := sorted(name for name, number in names.items() if number > 1):
        raise DetectorError(f"Rename one of the detectors called {', '.join(repeated)}: names must be unique.")
    return tuple(sorted(detectors, key=lambda detector: detector.name))


def detector_from(module: ModuleType) -> Detector:
    """Return the detector in this file; raises DetectorError naming everything that is missing or wrong."""
    if faults := _faults(module):
        raise DetectorError(f"{module.__name__} is not a detector: {'; '.join(faults)}")
    title, _, description = inspect.cleandoc(module.__doc__ or "").partition("\n")
    return Detector(
        name=module.__name__.rpartition(".")[2],
        title=title.rstrip("."),
        description=description.strip(),
        family=module.FAMILY,
        version=module.VERSION,
        weight=module.WEIGHT,
        harmless=module.HARMLESS,
        detect=module.detect,
    )


def _faults(module: ModuleType) -> list[str]:
    members = {"FAMILY": Family, "VERSION": int, "WEIGHT": int | float, "HARMLESS": str}
    faults = [
        f"{name} is missing or of the wrong type"
        for name, kind in members.items()
        if not isinstance(getattr(module, name, None), kind)
    ]
    if not (module.__doc__ or "").strip():
        faults.append("it has no docstring")
    if not callable(detect := getattr(module, "detect", None)):
        return [*faults, "it has no function detect(usage, *, …)"]
    first, *tunables = inspect.signature(detect).parameters.values()
    if first.name != "usage" or any(t.kind is not t.KEYWORD_ONLY or t.default is t.empty for t in tunables):
        faults.append("detect must take usage and keyword-only tunables with defaults")
    if not faults:
        faults = _faults_of_side(module)
    return faults


def _faults_of_side(module: ModuleType) -> list[str]:
    """What contradicts the folder the file is in."""
    harmless = module.FAMILY is Family.HARMLESS
    if module.__name__.startswith(f"{in_favour.__name__}."):
        return [] if harmless and module.WEIGHT < 0 else ["in in_favour/ FAMILY must be HARMLESS and WEIGHT negative"]
    return [] if not harmless and module.WEIGHT >= 0 else ["in against/ FAMILY cannot be HARMLESS nor WEIGHT negative"]
