"""The bar by which a command shows its progress."""

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def terminal_progress(*columns: ProgressColumn | str) -> Progress:
    """Return a bar on standard error that vanishes at the end. It prints nothing where that is not a terminal."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
