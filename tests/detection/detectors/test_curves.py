"""Detectors of content: what their curves give is what they weigh."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

from governance.detection.calibration import POINTS_PER_NAT
from governance.detection.curves import content_model
from governance.detection.detectors import against, in_favour

MODULES = [
    import_module(f"{folder.__name__}.{module.name}")
    for folder in (against, in_favour)
    for module in iter_modules(folder.__path__)
]
WITH_CURVES = [module for module in MODULES if hasattr(module, "FIGURES")]


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def test_each_has_its_curves_and_no_other_has_any() -> None:
    assert {name_of(module) for module in WITH_CURVES} == set(content_model().curves)


@pytest.mark.parametrize("module", WITH_CURVES, ids=name_of)
def test_weighs_what_its_curves_give(module: ModuleType) -> None:
    curves = content_model().curves[name_of(module)]

    assert set(curves) <= set(module.FIGURES)
    assert abs(module.WEIGHT) == pytest.approx(POINTS_PER_NAT * sum(curve.full for curve in curves.values()), abs=0.05)
