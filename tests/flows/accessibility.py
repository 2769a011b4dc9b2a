"""What axe-core finds wrong on a page: by its rules for WCAG 2.2 at the levels A and AA, and its best practices."""

import json
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

Theme = Literal["light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
WIDTHS: Final[Sequence[int]] = (1280, 390)
# The size of targets is a rule of WCAG 2.2 that axe-core leaves out unless it is asked for.
OPTIONS: Final = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# After two frames and the shortest of transitions the page has the colours of its theme.
PAINTED: Final = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
NOTHING_ON_ITS_WAY: Final = "() => !document.querySelector('.htmx-request')"
NAMED_OF_A_RULE: Final = 5
MILLISECONDS_TO_SETTLE: Final = 1_000


class Violation(NamedTuple):
    """A rule that is broken, where and how."""

    rule: str
    element: str
    message: str


def find_violations(page: Page) -> list[Violation]:
    """Of the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run(document, {json.dumps(OPTIONS)})")["violations"]
    return [
        Violation(rule["id"], str(node["target"]), node["failureSummary"].replace("\n", " "))
        for rule in found
        for node in rule["nodes"][:NAMED_OF_A_RULE]
    ]


def _settled_violations(page: Page) -> list[Violation]:
    """Look again where colours are wrong: on a busy machine a page may still be changing its theme."""
    found = find_violations(page)
    if any(one.rule == "color-contrast" for one in found):
        page.wait_for_timeout(MILLISECONDS_TO_SETTLE)
        found = find_violations(page)
    return found


def iter_violations_everywhere(page: Page) -> Iterator[str]:
    """Of the page in both themes and at both widths, each with where it was seen. The theme that it has comes first."""
    has_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for theme in reversed(THEMES) if has_dark else THEMES:
        for width in WIDTHS:
            yield from iter_violations_in(page, theme, width)


def iter_violations_in(page: Page, theme: Theme, width: int) -> Iterator[str]:
    """Of the page in a theme and at a width, each with where it was seen."""
    has_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    if "/admin/" in page.url and has_dark != (theme == "dark"):
        page.reload()  # it chooses its theme when it is loaded
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(PAINTED)
    for one in _settled_violations(page):
        yield f"{page.url}, {theme}, {width} px: {one.rule} at {one.element}: {one.message}"
