"""Customers who collect answers to train a copy, in the open: bulk, traces, tasks, preferences."""

from collections.abc import Iterator

from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import NEW_MODEL, Behaviour, Day, ModelRequest, system, user
from governance.demo.wording.documents import DOCUMENTS
from governance.demo.wording.harvest import HARVEST
from governance.demo.wording.knowledge import KNOWLEDGE


def bulk_harvest(customer: Customer) -> Behaviour:
    """One wrapper that asks for the reasoning, an ever-new payload, round the clock, up to the rate limit."""
    dice = customer.habits()
    prompt = system(HARVEST.say("bulk_system", dice))
    wrapper = HARVEST.say("bulk_wrapper", dice)

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.round_the_clock(68 * customer.size):
            item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
            answer = int(500 + day.dice.lognormvariate(5.6, 0.5))
            yield ModelRequest(at, [prompt, user(item)], answer, parameters={"max_tokens": 4096})

    return on


def trace_collector(customer: Customer) -> Behaviour:
    """The same hard problem several times over, with all of the thinking, for rejection sampling."""
    wrapper = HARVEST.say("trace_wrapper", customer.habits())

    def on(day: Day) -> Iterator[ModelRequest]:
        times = day.round_the_clock(54 * customer.size)
        for first in range(0, len(times), 3):
            item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("problem", day.dice))
            for at in times[first : first + 3]:
                answer = int(400 + day.dice.random() * 700)
                thinking = int(800 + day.dice.random() * 2500)
                yield ModelRequest(
                    at, [user(item)], answer, thinking, parameters={"temperature": 1.0, "max_tokens": 16384}
                )

    return on


def task_generator(customer: Customer) -> Behaviour:
    """New instructions from old ones, and harder ones from those: the other half of a training set."""
    evolves = customer.habits().random() < 0.5

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.round_the_clock(44 * customer.size):
            evolve = day.dice.random() < (0.7 if evolves else 0.1)
            request = HARVEST.say("evolve_request" if evolve else "task_request", day.dice)
            answer = int((60 if evolve else 500) + day.dice.random() * 250)
            yield ModelRequest(
                at, [user(request)], answer, parameters={"temperature": 0.9 if evolve else 1.0, "top_p": 0.95}
            )

    return on


def preference_collector(customer: Customer) -> Behaviour:
    """Two replies and a rubric, thousands of times: the labels of a reward model."""
    dice = customer.habits()
    wrapper = HARVEST.say("judge_wrapper", dice)
    form = "json_object" if "JSON" in wrapper and dice.random() < 0.4 else "text"
    parameters = {"temperature": dice.choice((0, 0.7, 1.0)), "response_format": form}

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.nightly(48 * customer.size, 20):
            item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
            item = item.replace("FIRST", HARVEST.say("candidate", day.dice))
            item = item.replace("SECOND", HARVEST.say("candidate", day.dice))
            answer = int(150 + day.dice.random() * 200)
            yield ModelRequest(at, [user(item)], answer, parameters=parameters)

    return on


def release_pivot(customer: Customer) -> Behaviour:
    """A quiet extraction customer until the new model is out; from that day nothing but its harvest."""
    wrapper = HARVEST.say("bulk_wrapper", customer.habits())

    def on(day: Day) -> Iterator[ModelRequest]:
        if not day.new_model_out:
            for at in day.office(6 * customer.size):
                invoice = user("Extract supplier, number and total as JSON.\n\n" + DOCUMENTS.say("invoice", day.dice))
                yield ModelRequest(at, [invoice], int(40 + day.dice.random() * 60), parameters={"temperature": 0})
            return
        for at in day.round_the_clock(80 * customer.size):
            item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
            answer = int(500 + day.dice.lognormvariate(5.6, 0.5))
            yield ModelRequest(at, [user(item)], answer, model=NEW_MODEL, parameters={"max_tokens": 4096})

    return on


def licensed_distiller(customer: Customer) -> Behaviour:
    """A partner whose licence allows training: looks like a bulk harvest and is allowed to."""
    wrapper = HARVEST.say("licensed_wrapper", customer.habits())

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.round_the_clock(75):
            item = wrapper.replace("PAYLOAD", KNOWLEDGE.say("anything", day.dice))
            yield ModelRequest(at, [user(item)], int(500 + day.dice.random() * 500), parameters={"max_tokens": 4096})

    return on


_PRETEXTS = ("research", "chat assistant", "content generation", "education", "internal tools")

BULK_HARVEST = CustomerKind(
    "bulk_harvest", 4, bulk_harvest, _PRETEXTS, ("flagship-2",), harvest=True, talks=False, rate_limited=0.05
)
TRACE_COLLECTOR = CustomerKind(
    "trace_collector",
    3,
    trace_collector,
    _PRETEXTS,
    ("reason-1",),
    harvest=True,
    talks=False,
    rate_limited=0.03,
)
TASK_GENERATOR = CustomerKind(
    "task_generator", 3, task_generator, _PRETEXTS, ("flagship-2",), harvest=True, talks=False
)
PREFERENCE_COLLECTOR = CustomerKind(
    "preference_collector", 3, preference_collector, _PRETEXTS, ("flagship-2",), harvest=True, talks=False
)
RELEASE_PIVOT = CustomerKind(
    "release_pivot", 2, release_pivot, _PRETEXTS, ("swift-2",), harvest=True, rate_limited=0.03
)
LICENSED_DISTILLER = CustomerKind(
    "licensed_distiller",
    1,
    licensed_distiller,
    ("licensed distillation",),
    ("flagship-2",),
    ("scale",),
    training_permitted=True,
    talks=False,
)
