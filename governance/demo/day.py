"""One simulated day: what a customer sends on it, and when."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

NEW_MODEL = "flagship-3"
_DAY = timedelta(days=1)

# How busy each local hour is, from midnight, and what part of that is left on a weekend.
_OFFICE = tuple(accumulate((0, 0, 0, 0, 0, 0, 1, 4, 9, 12, 12, 10, 7, 10, 12, 11, 9, 6, 2, 1, 1, 0, 0, 0)))
_AWAKE = tuple(accumulate((2, 1, 0, 0, 0, 0, 1, 4, 6, 7, 7, 7, 8, 8, 7, 7, 7, 8, 9, 11, 12, 12, 9, 5)))
_OFFICE_WEEKEND, _AWAKE_WEEKEND = 0.12, 0.9


def system(content: str) -> dict[str, str]:
    """Return a message of the operator."""
    return {"role": "system", "content": content}


def user(content: str) -> dict[str, str]:
    """Return a message of the user."""
    return {"role": "user", "content": content}


def assistant(content: str) -> dict[str, str]:
    """Return a message of the model."""
    return {"role": "assistant", "content": content}


@dataclass(slots=True)
class ModelRequest:
    """One request; `answer` and `reasoning` count tokens, `model` None means the customer's usual one."""

    at: datetime
    messages: list[dict[str, str]]
    answer: int
    reasoning: int = 0
    model: str | None = None
    end_user: str | None = None
    conversation: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Day:
    """24 hours from `starts_at`, as one customer lives them: in its own time zone, with its own luck."""

    number: int
    starts_at: datetime
    utc_offset: timedelta
    new_model_out: bool
    dice: Random

    def office(self, mean: float) -> list[datetime]:
        """Return times in working hours, hardly any on weekends; `mean` requests on a working day."""
        return self._by_local_hour(mean, _OFFICE, _OFFICE_WEEKEND)

    def awake(self, mean: float) -> list[datetime]:
        """Return times at which people are up, most in the evening."""
        return self._by_local_hour(mean, _AWAKE, _AWAKE_WEEKEND)

    def round_the_clock(self, mean: float) -> list[datetime]:
        """Return times spread evenly over the day and night."""
        return sorted(self.starts_at + _DAY * self.dice.random() for _ in range(self.count(mean)))

    def nightly(self, mean: float, local_hour: int) -> list[datetime]:
        """Return the times of a batch that starts at a local hour and takes one item after the other."""
        begins_at = self._at_local(local_hour * 3600 + self.dice.random() * 900)
        return self.paced(begins_at, self.count(mean), 20)

    def bursts(self, mean: float, bursts: int) -> list[datetime]:
        """Return times in a few bursts of close requests, in working hours."""
        starts = [self._at_local(int(7 + self.dice.random() * 12) * 3600) for _ in range(bursts)]
        size = self.count(mean / bursts)
        return sorted(at for begins_at in starts for at in self.paced(begins_at, size, 4))

    def paced(self, begins_at: datetime, number: int, seconds: float) -> list[datetime]:
        """Return `number` times one after the other, `seconds` apart on average."""
        gaps = accumulate(self.dice.expovariate(1 / seconds) for _ in range(number))
        return [begins_at + timedelta(seconds=gap) for gap in gaps]

    def count(self, mean: float) -> int:
        """Return a whole number around a mean."""
        return max(0, round(self.dice.gauss(mean, mean**0.5)))

    def picks(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.dice.random() * len(options))]

    def _by_local_hour(self, mean: float, hours: Sequence[int], weekend: float) -> list[datetime]:
        times = []
        for _ in range(self.count(mean)):
            hour = bisect_right(hours, self.dice.random() * hours[-1])
            at = self._at_local((hour + self.dice.random()) * 3600)
            if (at + self.utc_offset).weekday() < 5 or self.dice.random() < weekend:
                times.append(at)
        return sorted(times)

    def _at_local(self, second: float) -> datetime:
        midnight = self.starts_at.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight - self.utc_offset + timedelta(seconds=second)
        while at < self.starts_at:
            at += _DAY
        while at >= self.starts_at + _DAY:
            at -= _DAY
        return at


Behaviour = Callable[[Day], Iterator[ModelRequest]]
