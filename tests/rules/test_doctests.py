"""The examples in docstrings run, in every module that has one."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules_with_examples() -> list[str]:
    paths = [
        path for folder in ("accounts", "governance", "stillwatch_gateway") for path in (ROOT / folder).rglob("*.py")
    ]
    found = [
        path.relative_to(ROOT).with_suffix("")
        for path in paths
        if "build" not in path.parts and ">>> " in path.read_text()
    ]
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in found)


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_give_what_they_show(name: str) -> None:
    results = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)

    assert results.attempted > 0
    assert results.failed == 0


def test_numeric_modules_have_examples() -> None:
    assert set(modules_with_examples()) >= {
        "governance.campaigns.groups",
        "governance.campaigns.links",
        "governance.detection.fitting",
        "governance.detection.scoring",
        "governance.detection.serialization",
    }
