"""Documents as HTML and as PDF: the same bytes for the same document."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typst
from django.template.loader import render_to_string

from governance.evidence.document import Document
from governance.web.visible import escape_invisible_lines

HERE: Final = Path(__file__).parent
STYLES: Final = HERE / "report.css"
LAYOUT: Final = HERE / "report.typ"


def to_html(document: Document) -> str:
    return render_to_string("evidence/document.html", {"document": _visible(document._asdict())})


def to_pdf(document: Document, *, made_at: datetime) -> bytes:
    """Return the document as a tagged PDF that says it was made at this time.

    The fonts of the machine are left out, so that it is the same wherever it is made.
    """
    given = json.dumps(_visible(document._asdict()), ensure_ascii=False)
    return typst.compile(
        LAYOUT.read_bytes(),
        sys_inputs={"document": given},
        timestamp=made_at.astimezone(UTC).replace(microsecond=0),
        ignore_system_fonts=True,
    )


def _visible(value: Any) -> Any:
    """The same with every text as it can be shown: no customer's text changes what stands around it."""
    match value:
        case str():
            return escape_invisible_lines(value)
        case dict():
            return {name: _visible(member) for name, member in value.items()}
        case list() | tuple():
            return [_visible(member) for member in value]
    return value
