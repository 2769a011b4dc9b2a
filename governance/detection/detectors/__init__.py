"""Detectors: ways of looking at an account's usage, one file each.

A detector's file holds

- a docstring: its title on the first line, then its description, both shown on the case page and in the docs;
- `FAMILY`, the kind of evidence; `VERSION`, which changes with its meaning; `WEIGHT`, its points at full
  strength, negative where it speaks for the account; `HARMLESS`, the likeliest innocent reason for what it
  sees, in one sentence;
- `detect(usage, *, …) -> Finding | None`, pure, whose keyword-only arguments with defaults are its tunables.

Putting such a file into this folder is all it takes.
"""

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from governance.detection.finding import Family, Finding
from governance.usage.account_usage import AccountUsage


class DetectorError(Exception):
    """A file among the detectors is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A detector as its file describes it."""

    name: str
    title: str
    description: str
    family: Family
    version: int
    weight: float
    harmless: str
    detect: Callable[..., Finding | None]

    def look(self, usage: AccountUsage, **tunables: Any) -> Finding | None:
        """What it sees in this usage, signed with its name; None where it sees nothing."""
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
    """Every detector of this folder, by name; raises DetectorError for a file that does not meet the
    interface.
    """
    modules = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(detector_from(module) for module in sorted(modules, key=lambda module: module.__name__))


def detector_from(module: ModuleType) -> Detector:
    """Read a detector's file; raises DetectorError naming everything that is missing or wrong."""
    if faults := _faults(module):
        raise DetectorError(f"{module.__name__} is no detector: {'; '.join(faults)}")
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
    if not faults and (module.WEIGHT < 0) != (module.FAMILY is Family.HARMLESS):
        faults.append("WEIGHT must be negative in the harmless family and positive in the others")
    return faults
