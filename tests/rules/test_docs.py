"""The documents name files and modules that exist. Their links and examples are tried by
tests/flows/test_documentation.py."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

from tests.flows.documents import PAGES

ROOT: Final = Path(settings.BASE_DIR)
ROOMS: Final = {path.parent.name for path in (ROOT / "governance").glob("*/__init__.py")} | {"accounts"}
FORMER_ROOMS: Final = {"enforcement", "risk"}


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def quoted(page: Path) -> set[str]:
    """What a page writes as code within its sentences."""
    without_examples = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"`([^`\n]+)`", without_examples))


def file_named(name: str) -> bool:
    """Return True if a path is one of this repository, from its root, a room or the package of all rooms."""
    return any((place / name).exists() for place in (ROOT, ROOT / "governance"))


def module_named(name: str) -> bool:
    """Return True if a dotted name is a module of a room, or a name in one."""
    parts = name.split(".")
    package = "accounts" if parts[0] == "accounts" else f"governance.{parts[0]}"
    for length in range(len(parts), 0, -1):
        module = ".".join([package, *parts[1:length]])
        try:
            spec = find_spec(module)
        except ModuleNotFoundError:
            continue
        if spec is None or spec.origin is None:
            continue
        left = parts[length:]
        return not left or re.search(rf"\b{left[0]}\b", Path(spec.origin).read_text()) is not None
    return False


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_files_that_are_named_exist(page: Path) -> None:
    paths = [name for name in quoted(page) if re.fullmatch(r"[\w./-]+/[\w.-]+\.(py|toml|md|html|css|service)", name)]

    assert [name for name in paths if not file_named(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_modules_that_are_named_exist(page: Path) -> None:
    names = [name for name in quoted(page) if re.fullmatch(r"[a-z_]+(\.\w+)+", name)]
    ours = [
        name for name in names if name.split(".")[0] in ROOMS | FORMER_ROOMS and not name.endswith((".py", ".jsonl"))
    ]

    assert [name for name in ours if not module_named(name)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=ids)
def test_no_former_room_is_named(page: Path) -> None:
    assert [name for name in quoted(page) if re.fullmatch(r"(governance/)?(enforcement|risk)/[\w/.]*", name)] == []
