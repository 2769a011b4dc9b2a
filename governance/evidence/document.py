"""A report as blocks, which the HTML and the PDF are both made of. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

Block: TypeAlias = Mapping[str, Any]
NONE: Final = "–"


class Document(NamedTuple):
    """`subtitle` stands under the title; each block is one of those below."""

    title: str
    subtitle: str
    blocks: Sequence[Block]


def heading(text: str) -> Block:
    return {"kind": "heading", "text": text}


def paragraph(text: str) -> Block:
    return {"kind": "paragraph", "text": text}


def note(text: str) -> Block:
    """What limits what was said before."""
    return {"kind": "note", "text": text}


def items(texts: Iterable[str]) -> Block:
    return {"kind": "items", "items": list(texts)}


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, widths: Sequence[int] = ()) -> Block:
    """`widths` are the shares of the columns; without any all are alike."""
    cells = [[NONE if cell is None or cell == "" else str(cell) for cell in row] for row in rows]
    return {"kind": "table", "head": list(head), "rows": cells, "widths": list(widths) or [1] * len(head)}


def blank(label: str) -> Block:
    """A line for somebody to fill in by hand."""
    return {"kind": "blank", "text": label}


def quotation(caption: str, text: str) -> Block:
    return {"kind": "quotation", "caption": caption, "text": text}


def say_time(written: str | None) -> str:
    """Return a time of the data files as people read it: 2 November 2026, 09:14:00 UTC."""
    if written is None:
        return NONE
    at = datetime.fromisoformat(written)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def say_seconds(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:,.1f} s"
