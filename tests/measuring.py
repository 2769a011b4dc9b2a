"""What tests measure is printed when all have run."""

from collections.abc import Callable

Measured = Callable[[str], None]
