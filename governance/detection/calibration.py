"""How many points each detector is worth: a small file that people can read, compare and put in force. Pure.

    version = "2026.2"
    fitted_on = "1,621 labelled accounts of 36 families"

    [weights]            # points at full strength; negative where it speaks for the account
    known_corpus = 38.0
    public_prompts = -15.0

    [probability]        # log-odds of a harvest by score (see `probability`)
    intercept = -1.6
    slope = 0.21

    [reference]          # whom it was made for (see `drift`)
    accounts = 1621
    [reference.figures]
    texts = [0.15, 0.85]

Points are a measure of odds: a finding's are `POINTS_PER_NAT` times the logarithm of its likelihood ratio, given what
the other findings already say (see `fitting`). A detector that the file does not name keeps the weight in its own
file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from governance.detection.drift import Reference
from governance.detection.finding import Family
from governance.detection.probability import ProbabilityCurve
from governance.web.faults import plain_fault
from governance.web.misspelling import with_nearest

PACKAGED: Final = Path(__file__).parent / "calibration.toml"
# So that at most 0.1 % of held-out ordinary accounts reach the review line, 50.
POINTS_PER_NAT: Final = 7.7

# The most points a kind of evidence gives; the harmless one takes at most this many away. What is asked can bring an
# account before a reviewer by itself, but not past the automatic line; acting with others is worth up to eight nats.
# Answers are worth a nat and a half: they are seen only where a gateway reports them, and no labelled world has any.
# What partners say is worth one, however many say it.
CAPS: Final[Mapping[Family, float]] = {
    Family.CONTENT: 80,
    Family.SHAPE: 38,
    Family.RHYTHM: 30,
    Family.IDENTITY: 24,
    Family.TOGETHER: 62,
    Family.ANSWERS: 12,
    Family.PARTNERS: 8,
    Family.HARMLESS: 40,
}
# Where text was read, what careless tools leave out is worth a nat and a half in all: anybody can fill it in. Without
# text there is nothing else.
CARELESS: Final = (Family.SHAPE, Family.RHYTHM, Family.IDENTITY)
CAPS_WITH_TEXT: Final[Mapping[Family, float]] = {**CAPS, **dict.fromkeys(CARELESS, 4.0)}
# Two nats: what a single finding in favour takes off at most.
MOST_IN_FAVOUR: Final = 16.0


def caps_for(texts: int) -> Mapping[Family, float]:
    """Return the caps for an account of which so many prompts were read."""
    return CAPS_WITH_TEXT if texts else CAPS


class CalibrationError(Exception):
    """The file is not a valid calibration: says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Points at full strength by detector. `version` names it in every assessment.

    `reference` says how the customers were distributed that it was made for; None where it does not say.
    """

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    fitted_on: str = ""
    probability: ProbabilityCurve = field(default_factory=ProbabilityCurve)
    reference: Reference | None = None

    def weight(self, detector: str, *, otherwise: float) -> float:
        return self.weights.get(detector, otherwise)


def parse_calibration(text: str, *, known: Mapping[str, Family]) -> Calibration:
    r"""Parse a calibration file. Raises CalibrationError naming everything that is wrong with it.

    `known` is the family of each detector, by name.

    >>> text = 'version = "2027.1"\n[weights]\npublic_prompts = -15.0'
    >>> parse_calibration(text, known={"public_prompts": Family.HARMLESS}).weights
    {'public_prompts': -15.0}
    """
    try:
        file = msgspec.toml.decode(text, type=_File)
    except msgspec.ValidationError as error:
        raise CalibrationError(plain_fault(error, _File)) from error
    except (ValueError, RecursionError) as error:  # also a number with thousands of digits
        raise CalibrationError(f"it is not TOML: {error}") from error
    if faults := [*_faults(file.weights, known)]:
        raise CalibrationError("; ".join(faults))
    return Calibration(
        version=file.version.strip(),
        weights={name: float(weight) for name, weight in file.weights.items()},
        fitted_on=file.fitted_on,
        probability=file.probability,
        reference=file.reference,
    )


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: Annotated[str, msgspec.Meta(pattern=r"\S", description="a text")]
    weights: Annotated[dict[str, Any], msgspec.Meta(description="a table of numbers, one for each detector")]
    fitted_on: str = ""
    probability: ProbabilityCurve = ProbabilityCurve()
    reference: Reference | None = None


def _faults(weights: Mapping[str, Any], known: Mapping[str, Family]) -> Iterable[str]:
    for name, weight in weights.items():
        family = known.get(name)
        if family is None:
            yield f"there is no detector {with_nearest(name, known)}"
        elif isinstance(weight, bool) or not isinstance(weight, int | float) or not isfinite(weight):
            yield f"the weight of {name} is no number"
        elif weight and (weight < 0) != (family is Family.HARMLESS):
            yield f"{name} is of the {family} family, so its weight cannot be {weight}"
        elif weight < -MOST_IN_FAVOUR:
            yield f"{name} takes off more than a finding in favour may, {MOST_IN_FAVOUR:g}"
        elif weight > CAPS[family]:
            yield f"{name} has more points than its whole family may give, {CAPS[family]:g}"


def format_calibration(calibration: Calibration) -> str:
    """Return the file of a calibration, detectors with the highest weight first."""
    lines = [f'version = "{calibration.version}"', f'fitted_on = "{calibration.fitted_on}"', "", "[weights]"]
    ordered = sorted(calibration.weights.items(), key=lambda item: (-item[1], item[0]))
    curve = calibration.probability
    variance = ", ".join(f"{value:.6g}" for value in curve.variance)
    probability = [
        "[probability]",
        f"intercept = {curve.intercept:.4g}",
        f"slope = {curve.slope:.4g}",
        f"variance = [{variance}]",
        f"accounts = {curve.accounts}",
    ]
    return (
        "\n".join([*lines, *(f"{name} = {weight:.1f}" for name, weight in ordered), "", *probability])
        + "\n"
        + _format_reference(calibration.reference)
    )


def _format_reference(reference: Reference | None) -> str:
    if reference is None:
        return ""
    figures = [
        f"{name} = [{', '.join(f'{share:g}' for share in shares)}]" for name, shares in reference.figures.items()
    ]
    return (
        "\n".join(["", "[reference]", f"accounts = {reference.accounts}", "", "[reference.figures]", *figures]) + "\n"
    )


@cache
def packaged_calibration_text() -> str:
    """Return the calibration file that comes with Stillwatch."""
    return PACKAGED.read_text()
