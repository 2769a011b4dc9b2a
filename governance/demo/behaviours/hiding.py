"""Customers who collect answers and hide it: a group of small accounts, a proxy behind real talk."""

from collections.abc import Iterator
from dataclasses import replace

from governance.demo.behaviours.talking import conversation
from governance.demo.customer import Customer, Kind
from governance.demo.day import Behaviour, Day, ModelRequest, user
from governance.demo.wording.everyday import EVERYDAY
from governance.demo.wording.harvest import HARVEST
from governance.demo.wording.knowledge import KNOWLEDGE


def slow_ring(customer: Customer) -> Behaviour:
    """One of twelve accounts that split a harvest: few requests each, one wrapper, small talk as cover."""
    wrapper = HARVEST.say("quiet_wrapper", customer.habits())

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.awake(13 * customer.size):
            if day.dice.random() < 0.2:
                yield ModelRequest(at, [user(EVERYDAY.say("opening", day.dice))], int(60 + day.dice.random() * 200))
                continue
            item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
            yield ModelRequest(at, [user(item)], int(450 + day.dice.random() * 600))

    return on


def traffic_proxy(customer: Customer) -> Behaviour:
    """A reseller that never says which of its users asks, and slips its own harvest in among their talk."""
    dice = customer.habits()
    wrapper = HARVEST.say("proxy_wrapper", dice)
    harvest = 0.3 + dice.random() * 0.3

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.awake(38 * customer.size):
            if day.dice.random() < harvest:
                item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
                yield ModelRequest(at, [user(item)], int(500 + day.dice.random() * 600))
            else:
                opening = [user(EVERYDAY.say("opening", day.dice))]
                for request in conversation(day, at, opening, EVERYDAY, turns=1.5, end_user=None):
                    yield replace(request, conversation=None)

    return on


SLOW_RING = Kind(
    "slow_ring",
    12,
    slow_ring,
    ("chat assistant", "personal use", "research", "content generation"),
    ("flagship-2",),
    ("payg", "payg", "team"),
    least=12,
    harvest=True,
    is_hidden_group=True,
)
TRAFFIC_PROXY = Kind("traffic_proxy", 2, traffic_proxy, ("chat assistant",), ("flagship-2",), harvest=True)
