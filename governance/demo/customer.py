"""A customer of the demonstration world: one API account, its habits, and its requests in the wire format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Any

from governance.demo.day import NEW_MODEL, Behaviour, Day, ModelRequest
from governance.demo.network import Address

_UNLUCKY = 0.025


@dataclass(frozen=True)
class Customer:
    """One account with what a seller would see of it, and a little that the seller would not (`kind`)."""

    world: str
    kind: str
    account: dict[str, Any]
    company: str
    trade: str
    model: str
    user_agent: str
    utc_offset: timedelta
    addresses: Sequence[Address]
    keys: Sequence[str]
    size: float
    sends_text: bool
    adopts_new_model: bool
    rate_limited: float
    begins_at: datetime
    group: str = ""

    @property
    def id(self) -> str:
        """The seller's id of the account."""
        return str(self.account["account"])

    def dice(self, purpose: object) -> Random:
        """Return dice of this customer's own, the same for the same purpose."""
        return Random(f"{self.world}/{self.id}/{purpose}")

    def habits(self) -> Random:
        """Return dice for what stays the same all the time; they fall alike for the members of a hidden group."""
        return Random(f"{self.world}/{self.group}/habits") if self.group else self.dice("habits")

    def common_dice(self, purpose: str) -> Random:
        """Return dice that fall alike for all customers: for what several of them took from one place."""
        return Random(f"{self.world}/{purpose}")

    def events(self, behaviour: Behaviour, day: Day) -> Iterator[dict[str, Any]]:
        """Yield the day's usage events in the wire format, not yet in order."""
        for request in behaviour(day):
            if request.at >= self.begins_at:
                yield self._event(request, day)

    def _event(self, request: ModelRequest, day: Day) -> dict[str, Any]:
        dice = day.dice
        status = self._status(dice)
        served = status == "ok"
        answer = request.answer if served else (int(20 + dice.random() * 40) if status == "refused" else 0)
        reasoning = request.reasoning if served else 0
        address = self.addresses[int(dice.random() * len(self.addresses))]
        characters = sum(len(message["content"]) for message in request.messages)
        operator = len(request.messages[0]["content"]) if request.messages[0]["role"] == "system" else 0
        event: dict[str, Any] = {
            "id": f"req_{dice.getrandbits(80):020x}",
            "occurred_at": request.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{request.at.microsecond // 1000:03d}Z",
            "account": self.id,
            "organisation": self.account["organisation"],
            "api_key": self.keys[int(dice.random() * len(self.keys))],
            "model": request.model or self._usual_model(day),
            "operation": "chat",
            "input_tokens": 6 + int(characters / (3.9 + dice.random() * 0.5)),
            "output_tokens": answer + reasoning,
            "cached_input_tokens": operator // 4 if operator > 200 and served and dice.random() < 0.8 else 0,
            "reasoning_tokens": reasoning,
            "latency_ms": 180 + int((answer + reasoning) * (5 + dice.random() * 7) + dice.random() * 500),
            "status": status,
            "client": {
                "ip": address.ip,
                "asn": address.asn,
                "country": address.country,
                "user_agent": self.user_agent,
            },
            "parameters": {"temperature": 1.0, "max_tokens": 2048, **request.parameters},
        }
        if request.end_user:
            event["end_user"] = request.end_user
        if request.conversation:
            event["conversation"] = request.conversation
        if self.sends_text:
            event["messages"] = request.messages
        return event

    def _status(self, dice: Random) -> str:
        luck = dice.random()
        if luck < self.rate_limited:
            return "rate_limited"
        if luck > 1 - _UNLUCKY:
            return "error" if dice.random() < 0.6 else "refused"
        return "ok"

    def _usual_model(self, day: Day) -> str:
        if self.adopts_new_model and day.new_model_out and day.dice.random() < 0.7:
            return NEW_MODEL
        return self.model


class Tie(Enum):
    """What the seller can see that the accounts of a hidden group have in common, beside what they ask."""

    CARDS_AND_ADDRESSES = "two cards or an address pool"
    CARDS = "two cards"
    ADDRESSES = "an address pool"
    NOTHING = "nothing"


@dataclass(frozen=True)
class CustomerKind:
    """A kind of customer: how many there are, how they are known to the seller, and how they behave.

    `of_300` is how many stand among 300 accounts and `least` how many any world has. Accounts of a kind share
    `one_organisation`, `one_card` or `one_address`; an `is_hidden_group` has organisations of its own, tied by
    `tied_by` (half of them on two cards and half in one address pool), founded within days. A group that `is_recent`
    begins in the last two days. What `is_dressed` passes for an ordinary customer in all that the seller knows of it
    but what it asks. `talks` is whether people rather than servers may call; `called` ends the name of an organisation
    whose trade must show in it.
    """

    name: str
    of_300: int
    behave: Callable[[Customer], Behaviour]
    declares: Sequence[str]
    models: Sequence[str] = ("flagship-2", "swift-2")
    plans: Sequence[str] = ("payg", "team", "scale")
    least: int = 1
    harvest: bool = False
    training_permitted: bool = False
    one_organisation: bool = False
    one_card: bool = False
    one_address: bool = False
    is_hidden_group: bool = False
    tied_by: Tie = Tie.CARDS_AND_ADDRESSES
    is_recent: bool = False
    is_dressed: bool = False
    talks: bool = True
    called: str = ""
    rate_limited: float = 0.004
    adopts_new_model: float = field(default=0.15)
