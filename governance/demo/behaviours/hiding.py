"""Customers who collect answers and hide it: groups of small accounts, a proxy behind real talk."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from governance.demo.behaviours.talking import conversation
from governance.demo.customer import Customer, CustomerKind, Tie
from governance.demo.day import Behaviour, Day, ModelRequest, user
from governance.demo.wording.everyday import EVERYDAY
from governance.demo.wording.harvest import HARVEST
from governance.demo.wording.knowledge import KNOWLEDGE

_SUBJECTS = 12
_PRETEXTS = ("chat assistant", "personal use", "research", "content generation")


def ring(wrapper_rule: str, *, a_day: float, cover: float) -> Callable[[Customer], Behaviour]:
    """Return the behaviour of accounts that divide a harvest: few requests each, in one wrapper.

    A share of them, `cover`, is small talk.
    """

    def behave(customer: Customer) -> Behaviour:
        wrapper = HARVEST.say(wrapper_rule, customer.habits())

        def on(day: Day) -> Iterator[ModelRequest]:
            for at in day.awake(a_day * customer.size):
                if day.dice.random() < cover:
                    yield ModelRequest(at, [user(EVERYDAY.say("opening", day.dice))], int(60 + day.dice.random() * 200))
                    continue
                item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
                yield ModelRequest(at, [user(item)], int(450 + day.dice.random() * 600))

        return on

    return behave


def task_ring(customer: Customer) -> Behaviour:
    """One of eight accounts that have a training set written, tasks and solutions: each has subjects of its own."""
    form = HARVEST.say("set_form", customer.habits())
    share = customer.dice("share of the work")
    subjects = [KNOWLEDGE.say("idea", share) for _ in range(_SUBJECTS)]

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.round_the_clock(26 * customer.size):
            request = HARVEST.say("set_request", day.dice, set_form=form, subject=day.picks(subjects))
            yield ModelRequest(at, [user(request)], int(500 + day.dice.lognormvariate(5.6, 0.5)))

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


# The labelled worlds' alone: what is measured on them stays comparable while the demonstration's words change.
SLOW_RING = CustomerKind(
    "slow_ring",
    12,
    ring("quiet_wrapper", a_day=13, cover=0.2),
    _PRETEXTS,
    ("flagship-2",),
    ("payg", "payg", "team"),
    least=12,
    harvest=True,
    is_hidden_group=True,
)
REASONING_RING = replace(SLOW_RING, name="reasoning_ring", behave=ring("patient_wrapper", a_day=22, cover=0.12))
TASK_RING = CustomerKind(
    "task_ring",
    8,
    task_ring,
    _PRETEXTS,
    ("flagship-2",),
    ("payg", "payg", "team"),
    least=8,
    harvest=True,
    is_hidden_group=True,
    tied_by=Tie.ADDRESSES,
    is_recent=True,
    talks=False,
)
TRAFFIC_PROXY = CustomerKind("traffic_proxy", 2, traffic_proxy, ("chat assistant",), ("flagship-2",), harvest=True)
