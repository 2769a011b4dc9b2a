"""Counts in messages. Pure."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in the right form: "1 line", "2,000 lines"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
