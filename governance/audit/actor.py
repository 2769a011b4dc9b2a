"""The actor of an audit entry."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is staff, service_key or system; `id` names one of that kind; `name` is what people read.

    The log keeps these as text, since it outlives the rows that they come from.
    """

    kind: str
    id: str
    name: str

    @classmethod
    def system(cls, part: str) -> Self:
        """A part of Stillwatch that acts by itself, such as `pipeline` or `expiry`."""
        return cls("system", part, part)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"
