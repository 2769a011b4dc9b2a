"""The examples in docstrings, run as doctests; numeric modules must have some."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

# Packages and modules whose public functions work on arrays or estimate something.
NUMERIC = (
    "governance/campaigns/similarity.py",
    "governance/campaigns/verdict.py",
    "governance/detection/fitting.py",
    "governance/detection/scoring.py",
    "governance/detection/serialization.py",
    "governance/usage/profiles/entries.py",
    "governance/usage/profiles/histograms.py",
    "governance/usage/profiles/hyperloglog.py",
    "governance/usage/profiles/top_k.py",
    "governance/usage/profiles/bottom_k.py",
    "governance/usage/profiles/build.py",
    "governance/usage/profiles/merging.py",
    "governance/usage/profiles/features.py",
    "governance/usage/profiles/traits.py",
    "governance/usage/fingerprint.py",
    "governance/usage/murmur.py",
)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)


WITH_EXAMPLES = sorted(
    path
    for room in ("accounts", "governance", "stillwatch_gateway")
    for path in (settings.BASE_DIR / room).rglob("*.py")
    if "\n    >>> " in path.read_text()
)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_examples_print_what_they_say(path: Path) -> None:
    failed, tried = doctest.testmod(import_module(module_name(path)))

    assert tried
    assert not failed


def test_numeric_modules_have_examples() -> None:
    assert {settings.BASE_DIR / name for name in NUMERIC} <= set(WITH_EXAMPLES)
