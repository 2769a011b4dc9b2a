"""Harvests dressed as products: everything of an ordinary customer's requests but what is asked.

An ordinary behaviour says when there are requests, for which end user, in which conversation, under which system prompt
and with which parameters. Only what its users ask is replaced by what the harvest asks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from governance.demo.behaviours.batches import EXTRACTION, TRANSLATION_BATCH
from governance.demo.behaviours.building import CODING_AGENT, RETRIEVAL
from governance.demo.behaviours.own_material import GAME_WRITER, LESSON_PLANNER, OWN_SUMMARIES, SQL_COPILOT
from governance.demo.behaviours.talking import AGENCY, HUMAN_CHAT, SUPPORT_BOT, TUTORING_PLATFORM
from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest

COSTUMES = (
    HUMAN_CHAT,
    SUPPORT_BOT,
    CODING_AGENT,
    RETRIEVAL,
    EXTRACTION,
    TRANSLATION_BATCH,
    TUTORING_PLATFORM,
    AGENCY,
    OWN_SUMMARIES,
    SQL_COPILOT,
    GAME_WRITER,
    LESSON_PLANNER,
)
_DECLARES = tuple(sorted({use for kind in COSTUMES for use in kind.declares}))
# What an item is asked for stays, or it would be asked in vain.
_KEPT_PARAMETERS = ("logprobs", "top_logprobs")

Between = tuple[float, float]


def dress(kind: CustomerKind, *, share: Between = (1.0, 1.0)) -> CustomerKind:
    """Return a harvest of this kind that passes for ordinary customers but for a share of what it asks."""
    return replace(
        kind,
        behave=in_costume(kind.behave, share=share),
        declares=_DECLARES,
        models=("flagship-2", "swift-2"),
        plans=("payg", "team", "scale"),
        talks=True,
        rate_limited=0.004,
        is_dressed=True,
    )


def in_costume(
    harvest: Callable[[Customer], Behaviour], *, share: Between = (1.0, 1.0)
) -> Callable[[Customer], Behaviour]:
    """Return a behaviour like an ordinary customer's in which a share of the requests, drawn once, is a harvest."""

    def behave(customer: Customer) -> Behaviour:
        alone = replace(customer, group="")
        dice = alone.dice("costume")
        wear = dice.choices(COSTUMES, [kind.of_300 for kind in COSTUMES])[0].behave(alone)
        collect, part = harvest(customer), share[0] + (share[1] - share[0]) * dice.random()

        def on(day: Day) -> Iterator[ModelRequest]:
            wanted = _wanted(collect, day)
            asked: dict[str | None, list[str]] = {}
            for request in wear(day):
                own = next(wanted, None) if day.dice.random() < part else None
                if own is None:
                    yield request
                    continue
                said = asked.setdefault(request.conversation, [])
                if request.conversation is None:
                    said.clear()
                yield _disguised(request, own, said, longer=day.dice.lognormvariate(0.05, 0.35))

        return on

    return behave


def _wanted(collect: Behaviour, day: Day) -> Iterator[ModelRequest]:
    """Yield the requests of a harvest's day over and over, as many as are needed."""
    found = True
    while found:
        found = False
        for request in collect(day):
            found = True
            yield request


def _disguised(request: ModelRequest, own: ModelRequest, said: list[str], *, longer: float) -> ModelRequest:
    said.append(own.messages[-1]["content"])
    kept = {name: own.parameters[name] for name in _KEPT_PARAMETERS if name in own.parameters}
    return replace(
        request,
        messages=_with_words(request.messages, said),
        answer=max(1, int(request.answer * longer)),
        parameters={**request.parameters, **kept},
    )


def _with_words(messages: Sequence[dict[str, str]], said: Sequence[str]) -> list[dict[str, str]]:
    """Return the messages with those of the user replaced by the last that were said."""
    users = [place for place, message in enumerate(messages) if message["role"] == "user"]
    words = dict(zip(reversed(users), reversed(said), strict=False))
    return [{**message, "content": words.get(place, message["content"])} for place, message in enumerate(messages)]
