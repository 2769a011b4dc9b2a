"""How often the method errs, as it was measured: what a court asks of one."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from governance.detection.calibration import packaged_calibration_text
from governance.detection.models import CalibrationVersion

FILE: Final = Path(__file__).parent / "error_rates.toml"
NOT_MEASURED: Final = "not measured yet"


@cache
def error_rates() -> Mapping[str, Any]:
    return tomllib.loads(FILE.read_text("utf-8"))


def describe_method(versions: Sequence[str]) -> dict[str, Any]:
    """Return the error rates, and whether they are those of the calibrations that the accounts were assessed by."""
    rates = error_rates()
    return {
        "error_rates": rates,
        "calibrations": list(versions),
        "is_measured": list(versions) == [rates["calibration"]],
        "agreement_of_second_reviewers": NOT_MEASURED,
    }


def calibration_files(versions: Sequence[str]) -> dict[str, str]:
    """Return the calibration files of these versions, by version; those that are not kept are left out."""
    files = dict(CalibrationVersion.objects.filter(version__in=versions).values_list("version", "content"))
    packaged = packaged_calibration_text()
    version = tomllib.loads(packaged)["version"]
    return ({version: packaged} if version in versions else {}) | files
