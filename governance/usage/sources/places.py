"""What stands where in somebody else's JSON. Pure."""

from typing import Any

from stillwatch_gateway.normalization import is_nothing

# In order of preference, each as the names that lead there: `metadata.user_agent`.
Places = tuple[str, ...]


def first(item: Any, places: Places) -> Any:
    """What stands at the first of these places that holds anything; None where none does."""
    return next((found for place in places if not is_nothing(found := at(item, place))), None)


def at(item: Any, place: str) -> Any:
    for name in place.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def text(value: Any, longest: int | None = None) -> str | None:
    """A text or a whole number as text that PostgreSQL can store; None for anything else, and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    told = str(value).replace("\0", "")
    return (told if told.isascii() else told.encode("utf-8", "replace").decode())[:longest] or None
