"""Read values at paths of JSON that other programs made. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from accounts.normalization import is_nothing, normalize_model

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# In order of preference, each as the names that lead there: `metadata.user_agent`.
Paths = tuple[str, ...]

# How many characters the wire format takes of what customers write and sources therefore cut.
MAX_LENGTHS: Final = {"model": 128, "operation": 64, "end_user": 256, "conversation": 256, "response_format": 64}


def first_value(item: Any, places: Paths) -> Any:
    """What stands at the first of these places that holds anything; None where none does."""
    return next((found for place in places if not is_nothing(found := value_at(item, place))), None)


def value_at(item: Any, place: str) -> Any:
    for name in place.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def storable_text(value: Any, longest: int | None = None) -> str | None:
    """A text or a whole number as text that PostgreSQL can store; None for anything else, and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).replace("\0", "")
    return (text if text.isascii() else text.encode("utf-8", "replace").decode())[:longest] or None


def storable_model(value: Any) -> str | None:
    """A model's name in its one spelling, as much of it as is taken: customers may ask for any. None for nothing."""
    return normalize_model(storable_text(value) or "")[: MAX_LENGTHS["model"]] or None


def parse_time(value: Any) -> datetime:
    """A time as LiteLLM writes it: seconds since 1970, as a number or as text, or ISO 8601. Raises ValueError."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            text = datetime.fromisoformat(value.strip())
            return text if text.tzinfo else text.replace(tzinfo=UTC)
    match value:
        case int() | float():
            return _EPOCH + timedelta(seconds=value)
        case _:
            raise ValueError("startTime and endTime are seconds since 1970 or ISO 8601")
