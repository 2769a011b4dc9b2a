"""Counts in messages. Pure."""


def pluralize(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in the right form: "1 line", "2,000 lines"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def percent_of(part: int, whole: int) -> str:
    """Return a share such as "12.3 %" or "0.04 %": none that is more than nothing looks like nothing."""
    if not part or not whole:
        return "0 %"
    share = 100 * part / whole
    return f"{share:.1f} %" if share >= 1 else f"{float(f'{share:.1g}'):f}".rstrip("0") + " %"
