"""Who the customers are: organisations, accounts, cards, addresses and keys, all invented."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from governance.demo.customer import Customer, CustomerKind, Tie
from governance.demo.network import Address, hosting_addresses, office_addresses

T = TypeVar("T")

_FIRST = (
    "Alder", "Bram", "Cask", "Dun", "Elm", "Fen", "Gar", "Hal", "Ilk", "Juni", "Kest", "Lark", "Mist",
    "Nor", "Oster", "Pell", "Quill", "Rowan", "Sel", "Tarn", "Umber", "Vale", "Wex", "Yar", "Zell",
    "Bright", "Cold", "Drift", "Ember", "Frost",
)  # fmt: skip
_SECOND = (
    "mere", "ford", "wick", "stone", "lane", "field", "ridge", "brook", "dale", "gate", "marsh", "holt",
    "moor", "haven", "croft", "water", "by", "thorpe", "cliff", "shaw",
)  # fmt: skip
_TRADES = {
    "Logistics": "freight forwarding",
    "Dental": "dental supplies",
    "Estates": "property management",
    "Payroll": "payroll",
    "Vets": "veterinary care",
    "Solar": "solar installation",
    "Events": "event catering",
    "Leasing": "car leasing",
    "Outdoor": "outdoor goods",
    "Legal": "legal services",
    "Travel": "hotel booking",
    "Retail": "online retail",
    "Insurance": "insurance broking",
    "Analytics": "market research",
    "Energy": "electricity supply",
    "Media": "publishing",
    "Health": "home care",
    "Software": "business software",
    "Labs": "software",
    "Data": "data services",
}
_HOURS_FROM_UTC = {
    "NL": 1, "DE": 1, "PL": 1, "FR": 1, "ES": 1, "SE": 1, "GB": 0, "IE": 0, "PT": 0, "FI": 2, "GR": 2,
    "TR": 3, "KE": 3, "IN": 5.5, "SG": 8, "JP": 9, "KR": 9, "AU": 10, "BR": -3, "US": -5, "CA": -5, "MX": -6,
}  # fmt: skip
_RECENT = 2.2  # days
_FREE_MAIL = ("postbox.example", "mailhaven.example", "letterfly.example")
_SERVER_AGENTS = (
    "OpenAI/Python 2.20.0", "OpenAI/Python 1.99.3", "OpenAI/JS 6.4.0", "python-requests/2.32.5",
    "python-httpx/0.28.1", "axios/1.12.2", "Go-http-client/2.0", "okhttp/5.1.0", "aiohttp/3.12.15",
    "node-fetch/3.3.2", "curl/8.14.1",
)  # fmt: skip


@dataclass(frozen=True)
class _Organisation:
    id: str
    name: str
    trade: str
    country: str
    domain: str
    card: str
    addresses: Sequence[Address]


@dataclass(frozen=True)
class _Place:
    """Where a customer stands among those that are made together."""

    index: int
    of: int
    group: str
    scale: float
    silent: float | None


class CustomerFactory:
    """Founds organisations and opens accounts for them; two never get the same name."""

    def __init__(self, dice: Random, starts_at: datetime, days: int) -> None:
        self._dice = dice
        self._starts_at = starts_at
        self._days = days
        self._names = [(first + second, word) for first in _FIRST for second in _SECOND for word in sorted(_TRADES)]
        dice.shuffle(self._names)
        self._taken: set[str] = set()

    def customers(
        self,
        kind: CustomerKind,
        number: int,
        world: str,
        *,
        group: str = "",
        scale: float = 1.0,
        silent: float | None = None,
    ) -> Iterator[Customer]:
        """Yield `number` customers of a kind, sharing what the kind shares; `scale` makes all of them larger.

        A share of them, `silent`, sends no text; without it every fifth that is in no hidden group, but never the
        first of a kind, so that each can be shown.
        """
        first: _Organisation | None = None
        cards = [self._token("card", 48), self._token("card", 48)]
        pool = hosting_addresses(6, self._picks(sorted(_HOURS_FROM_UTC)), self._dice)
        for index in range(number):
            organisation = first if first and kind.one_organisation else self._found(kind)
            first = first or organisation
            card, addresses = organisation.card, organisation.addresses
            if kind.one_card:
                card = first.card
            if kind.one_address:
                addresses = first.addresses[:1]
            both = kind.tied_by is Tie.CARDS_AND_ADDRESSES
            if kind.is_hidden_group and (kind.tied_by is Tie.CARDS or (both and index % 2 == 0)):
                card = cards[index // 2 % 2]
            elif kind.is_hidden_group and (both or kind.tied_by is Tie.ADDRESSES):
                addresses = pool
            place = _Place(index, number, group or (kind.name if kind.is_hidden_group else ""), scale, silent)
            yield self._customer(kind, place, organisation, card, addresses, world)

    def _found(self, kind: CustomerKind) -> _Organisation:
        name, word = self._name(kind)
        country = self._picks(sorted(_HOURS_FROM_UTC))
        lines = office_addresses if kind.talks and self._dice.random() < 0.5 else hosting_addresses
        return _Organisation(
            id=self._token("org", 32),
            name=name,
            trade=_TRADES[word],
            country=country,
            domain=name.lower().replace(" ", "-") + ".example",
            card=self._token("card", 48),
            addresses=lines(1 + int(self._dice.random() * 4), country, self._dice),
        )

    def _name(self, kind: CustomerKind) -> tuple[str, str]:
        while True:
            family, word = self._names.pop()
            name = f"{family} {kind.called or word}"
            if name not in self._taken:
                self._taken.add(name)
                return name, word

    def _customer(
        self,
        kind: CustomerKind,
        place: _Place,
        organisation: _Organisation,
        card: str,
        addresses: Sequence[Address],
        world: str,
    ) -> Customer:
        dice, index = self._dice, place.index
        account = self._account(kind, index, organisation, card, addresses)
        created_at = datetime.fromisoformat(account["created_at"])
        return Customer(
            world=world,
            kind=kind.name,
            account=account,
            company=organisation.name,
            trade=organisation.trade,
            model=self._picks(kind.models),
            user_agent=self._picks(_SERVER_AGENTS),
            utc_offset=timedelta(hours=_HOURS_FROM_UTC[organisation.country]),
            addresses=addresses,
            keys=[self._token("key", 32) for _ in range(1 + int(dice.random() ** 3 * 3))],
            size=min(2.2, max(0.45, dice.lognormvariate(-0.08, 0.4))) * place.scale,
            sends_text=self._sends_text(kind, place),
            adopts_new_model=dice.random() < kind.adopts_new_model,
            rate_limited=kind.rate_limited,
            begins_at=max(created_at, self._starts_at + self._delay(kind, place)),
            group=place.group,
        )

    def _sends_text(self, kind: CustomerKind, place: _Place) -> bool:
        if place.silent is None:
            return kind.is_hidden_group or place.index % 5 != 3
        return self._dice.random() >= place.silent

    def _delay(self, kind: CustomerKind, place: _Place) -> timedelta:
        """Harvesters come one after another, some of them in the last days: a queue is never all old."""
        if kind.is_dressed:
            return timedelta()
        if kind.is_hidden_group:
            first = max(0.0, self._days - _RECENT) if kind.is_recent else 0.0
            return timedelta(days=first + (self._days - first) * place.index / (place.of + 2))
        if kind.harvest and place.index % 2:
            return timedelta(days=self._days * (0.7 + 0.25 * self._dice.random()))
        return timedelta()

    def _account(
        self, kind: CustomerKind, index: int, organisation: _Organisation, card: str, addresses: Sequence[Address]
    ) -> dict[str, Any]:
        dice = self._dice
        newcomer = index > 0 and dice.random() < 0.06
        age = timedelta(days=-dice.random() * self._days * 0.6 if newcomer else 1 + dice.random() ** 2 * 900)
        if kind.is_hidden_group and not kind.is_dressed:
            age = timedelta(days=3 + dice.random() * 9)
        elif kind.harvest and not kind.training_permitted and not kind.is_dressed:
            age = timedelta(days=1 + dice.random() ** 2 * 200)
        plan = self._picks(kind.plans)
        freely = plan == "payg" and not kind.one_organisation and dice.random() < 0.3
        elsewhere = office_addresses(1, organisation.country, dice)[0]
        return {
            "account": self._token("acct", 40),
            "organisation": organisation.id,
            "organisation_name": organisation.name,
            "created_at": (self._starts_at - age).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "plan": plan,
            "declared_use": self._picks(kind.declares),
            "country": organisation.country,
            "signup_ip": self._picks(addresses).ip if dice.random() < 0.6 else elsewhere.ip,
            "email_domain": self._picks(_FREE_MAIL) if freely else organisation.domain,
            "payment_fingerprint": card,
            "licence": {"training_permitted": kind.training_permitted},
        }

    def _token(self, prefix: str, bits: int) -> str:
        return f"{prefix}_{self._dice.getrandbits(bits):0{bits // 4}x}"

    def _picks(self, options: Sequence[T]) -> T:
        return options[int(self._dice.random() * len(options))]
