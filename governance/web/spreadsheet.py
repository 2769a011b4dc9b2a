"""CSV that a spreadsheet opens as it is meant: what could be read as a formula stays text."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpResponse

# Excel, LibreOffice and Sheets read a cell that begins so as a formula, the last ones after trimming it.
STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_cell(value: object) -> str:
    """Return a value as a cell: numbers as they are, text that begins like a formula behind an apostrophe.

    >>> csv_cell(-3), csv_cell("=1+1"), csv_cell(None)
    ('-3', "'=1+1", '')
    """
    if value is None:
        return ""
    text = str(value)
    is_text = not isinstance(value, int | float)
    return f"'{text}" if is_text and text.lstrip(" ").startswith(STARTS_A_FORMULA) else text


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Answer with a table as a file that is called `name`.csv."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
