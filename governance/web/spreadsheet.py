"""CSV that a spreadsheet opens as it is meant: what could be read as a formula stays text."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import dropwhile
from typing import Final
from unicodedata import category

from django.http import HttpResponse

# Excel, LibreOffice and Sheets read a cell that begins so as a formula, whatever it begins with that is not seen.
STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# Unicode's categories of spaces, separators, control characters and such as byte order marks.
UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
# What a spreadsheet may take for the end of a cell.
ENDS_A_CELL: Final = ("\t", "\r", "\n")


def csv_cell(value: object) -> str:
    """Return a value as a cell: numbers as they are, text that begins like a formula behind an apostrophe.

    >>> csv_cell(-3), csv_cell("=1+1"), csv_cell(None)
    ('-3', "'=1+1", '')
    """
    if value is None:
        return ""
    text = str(value)
    is_text = not isinstance(value, int | float)
    seen = "".join(dropwhile(lambda letter: category(letter) in UNSEEN, text))
    is_formula = seen.startswith(STARTS_A_FORMULA) or text.lstrip(" ").startswith(ENDS_A_CELL)
    return f"'{text}" if is_text and is_formula else text


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Answer with a table as a file that is called `name`.csv."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
