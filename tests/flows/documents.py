"""What README.md and docs/ say: their links, headings, commands and examples."""

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings

ROOT: Final = Path(settings.BASE_DIR)
PAGES: Final = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "stillwatch_gateway" / "README.md",
)
FENCE: Final = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


class Link(NamedTuple):
    """A link to a file of the repository, or to a heading of it: the page it is on, the file, the heading."""

    page: Path
    target: Path
    heading: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)} → {self.target.relative_to(ROOT)}#{self.heading}"


class Written(NamedTuple):
    """A command as a document writes it, up to the end of its line or of its quotation."""

    page: Path
    name: str
    rest: str

    @property
    def options(self) -> list[str]:
        return re.findall(r"(?<![\w-])--[a-z][a-z-]+", self.rest)


def links() -> list[Link]:
    found = []
    for page in PAGES:
        for address in re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text())):
            if not re.match("https://|mailto:", address):
                name, _, heading = address.partition("#")
                found.append(Link(page, (page.parent / name).resolve() if name else page, heading))
    return found


@cache
def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ +(.*)$", _without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def managed() -> list[Written]:
    """Every `manage.py` command of the documents and the Makefile, and those of README's table."""
    found = []
    for page in (*PAGES, ROOT / "Makefile"):
        # The long lines of prose break within quotations and the shell's with a backslash.
        text = page.read_text().replace("\\\n", " ")
        for name, rest in re.findall(r"(?<!find )manage\.py ([a-z_]+)([^`#|\n&]*)", text):
            found.append(Written(page, name, rest))
    for row in _table_of_commands():
        found += [Written(PAGES[0], name, rest) for name, rest in re.findall(r"`([a-z_]+)([^`]*)`", row)]
    return found


def named_tests() -> list[tuple[Path, str, str]]:
    """Every test that a document names: the page, the file, and the class or function in it, or an empty string."""
    found = []
    for page in PAGES:
        file = ""
        for path, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", page.read_text()):
            file = path or file
            if path or name:
                found.append((page, file, name))
    return found


def made() -> set[str]:
    """The targets of `make` that the documents name."""
    text = "\n".join(page.read_text() for page in PAGES)
    return set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def shells(page: Path, word: str) -> list[str]:
    """The examples of a page that use a program, as a shell takes them: without the answers that are printed below."""
    found = []
    for indent, _, block in FENCE.findall(page.read_text()):
        if re.search(rf"^{indent}(\w+=\S* )*\S*\b{word} ", block, re.MULTILINE):
            lines = [line.removeprefix(indent) for line in block.split("\n")]
            found.append("\n".join(lines).partition("\n\n")[0])
    return found


def _table_of_commands() -> list[str]:
    """The first cells of README's table of commands."""
    table = PAGES[0].read_text().partition("| `manage.py …` | |")[2].partition("\n\n")[0]
    return [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
