"""Fit and judge the content model on labelled worlds: which figures, which accounts, and what is held out."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Final, NamedTuple

import numpy as np

from governance.bench.detection.world import WorldLabel
from governance.detection.curves import LEAST_TEXTS, Curve, Figure, weight_of_text_count
from governance.detection.detectors import against, in_favour
from governance.detection.fitting_curves import AdditiveModel, FloatArray, LabelledFigures, fit_curves
from governance.usage.account_usage import AccountUsage

FOLDS: Final = 5
SEED: Final = 0
# Curves that give less than this are left out of the file.
LEAST_NATS: Final = 0.005


class NamedFigure(NamedTuple):
    """A figure of a detector, and whether it speaks for the account."""

    detector: str
    name: str
    figure: Figure
    in_favour: bool


def content_figures() -> list[NamedFigure]:
    """Return the figures of every detector of content, in order of detector and figure."""
    return [
        NamedFigure(found.name, name, figure, folder is in_favour)
        for folder in (against, in_favour)
        for found in iter_modules(folder.__path__)
        for name, figure in getattr(import_module(f"{folder.__name__}.{found.name}"), "FIGURES", {}).items()
    ]


def label_figures(
    usages: Mapping[str, AccountUsage], labels: Mapping[str, WorldLabel], figures: Sequence[NamedFigure], *, world: str
) -> tuple[list[str], LabelledFigures]:
    """Return the accounts that sent text, and their figures. Families of different worlds are different families."""
    names = [name for name in sorted(labels) if name in usages and usages[name].texts >= LEAST_TEXTS]
    values = [[one.figure(usages[name]) for one in figures] for name in names]
    return names, LabelledFigures(
        np.array(values, dtype=float).reshape(len(names), len(figures)),
        np.array([labels[name].label == "malicious" for name in names], dtype=bool),
        [f"{world} {labels[name].label} {labels[name].family}" for name in names],
        np.array([weight_of_text_count(usages[name].texts) for name in names]),
    )


def join_figures(worlds: Sequence[LabelledFigures]) -> LabelledFigures:
    """Return the accounts of several worlds as one."""
    return LabelledFigures(
        np.concatenate([one.values for one in worlds]),
        np.concatenate([one.harvests for one in worlds]),
        [family for one in worlds for family in one.families],
        np.concatenate([one.worth for one in worlds]),
    )


def held_out_log_odds(labelled: LabelledFigures, in_favour: Sequence[bool], units: Sequence[str]) -> FloatArray:
    """Return the log-odds of each account by a model that was fitted without its unit, such as its campaign.

    Args:
        units: one for each account. Their parts are shared out among five folds, or each is one if there are few.
    """
    log_odds = np.zeros(len(units))
    for held in _folds(np.array(units)):
        model = fit_curves(labelled.rows(np.flatnonzero(~held)), in_favour)
        log_odds[held] = model.log_odds(labelled.rows(np.flatnonzero(held)))
    return log_odds


def _folds(units: FloatArray) -> Iterator[FloatArray]:
    names = np.unique(units)
    fold = dict(zip(np.random.default_rng(SEED).permutation(names), np.arange(len(names)) % FOLDS, strict=True))
    for number in range(min(FOLDS, len(names))):
        yield np.array([fold[unit] == number for unit in units])


def format_content_model(model: AdditiveModel, figures: Sequence[NamedFigure], *, fitted_on: str) -> str:
    """Return the file of a content model: see `governance.detection.curves`."""
    lines = [
        "# Written by `manage.py fit_content`: what each figure is worth, in nats. See curves.py.",
        f"base = {model.base:.3f}",
        f'fitted_on = "{fitted_on}"',
    ]
    for one, curve in zip(figures, model.curves, strict=True):
        if curve.full >= LEAST_NATS:
            lines += ["", f"[curves.{one.detector}.{one.name}]", *_curve_lines(curve)]
    return "\n".join(lines) + "\n"


def _curve_lines(curve: Curve) -> list[str]:
    knots, nats = (", ".join(f"{value:.4g}" for value in values) for values in (curve.knots, curve.nats))
    return [f"knots = [{knots}]", f"nats = [{nats}]"]
