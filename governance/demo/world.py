"""The demonstration world: a few hundred invented customers, the same for the same seed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from random import Random
from typing import Any

from governance.demo.cast import CustomerBatch, accounts_by_kind
from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day
from governance.demo.people import CustomerFactory

_SENT_TWICE = 0.01
# The new model comes out on the ninth day of fourteen.
_RELEASE = 8 / 14


@dataclass(frozen=True)
class World:
    """Customers with their accounts, keys and requests; `labels` tells what each account really is."""

    seed: int
    starts_at: datetime
    ends_at: datetime
    _customers: list[tuple[Customer, CustomerKind]]

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """The accounts, one dict each, as `import_accounts` reads them."""
        return [customer.account for customer, _ in self._customers]

    @property
    def keys(self) -> list[dict[str, str]]:
        """The API keys: `account` and `api_key`, the seller's ids of both."""
        return [{"account": customer.id, "api_key": key} for customer, _ in self._customers for key in customer.keys]

    @property
    def customers(self) -> Iterator[tuple[Customer, CustomerKind]]:
        """The customers, each with its kind."""
        yield from self._customers

    @property
    def labels(self) -> dict[str, str]:
        """The kind of each account by its id; for tests and scripted decisions, never for detectors."""
        return {customer.id: kind.name for customer, kind in self._customers}

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the usage events in the wire format by time; about one in a hundred comes twice."""
        behaviours = [(customer, kind.behave(customer)) for customer, kind in self._customers]
        dice = Random(f"{self.seed}/sent twice")
        carried: list[dict[str, Any]] = []
        days = (self.ends_at - self.starts_at).days
        for number in range(days):
            begins_at = self.starts_at + timedelta(days=number)
            due = carried + [event for customer, behave in behaviours for event in self._day(customer, behave, number)]
            due.sort(key=itemgetter("occurred_at"))
            ends = (begins_at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            # What was begun before the day's end and goes on after it belongs among the next day's.
            carried = [event for event in due if event["occurred_at"] >= ends]
            for event in due[: len(due) - len(carried)]:
                yield event
                if dice.random() < _SENT_TWICE:
                    yield event

    def _day(self, customer: Customer, behave: Behaviour, number: int) -> Iterator[dict[str, Any]]:
        days = (self.ends_at - self.starts_at).days
        day = Day(
            number=number,
            starts_at=self.starts_at + timedelta(days=number),
            utc_offset=customer.utc_offset,
            new_model_out=number >= max(1, int(days * _RELEASE)),
            dice=customer.dice(number),
        )
        return customer.events(behave, day)


def build_world(*, seed: int, ends_at: datetime, days: int = 14, accounts: int = 300) -> World:
    """Return the world of a seed whose `days` end at `ends_at` (aware, in UTC).

    Raises ValueError if `accounts` are too few for every kind of customer to be there.
    """
    return assemble_world(
        [CustomerBatch(kind, number) for kind, number in accounts_by_kind(accounts)], seed, ends_at, days
    )


def assemble_world(troupes: Iterable[CustomerBatch], seed: int, ends_at: datetime, days: int) -> World:
    """Return the world of these customers whose `days` end at `ends_at`."""
    starts_at = ends_at - timedelta(days=days)
    registry = CustomerFactory(Random(f"{seed}/people"), starts_at, days)
    customers = [
        (customer, troupe.kind)
        for troupe in troupes
        for customer in registry.customers(
            troupe.kind, troupe.accounts, str(seed), group=troupe.group, scale=troupe.scale, silent=troupe.silent
        )
    ]
    # In no order that tells the kinds apart.
    customers.sort(key=lambda pair: pair[0].id)
    return World(seed, starts_at, ends_at, customers)
