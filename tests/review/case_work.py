"""Words of the case page."""

from typing import Any

from tests.review.pages import text


def words(response: Any) -> str:
    """The page with single spaces."""
    return " ".join(text(response).split())
