"""Dress up a harvest in what ordinary customers' requests have: one function for each thing. Pure.

Events are those of one account in the wire format, decoded, in order of time; functions return new ones. What is put on
comes from a donor, an ordinary customer of the same world, so that nothing is invented that would give itself away.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from governance.bench.detection.paraphrase import paraphrase

Event: TypeAlias = dict[str, Any]
Dressing: TypeAlias = Callable[[Sequence[Event], Sequence[Event], Random], list[Event]]

MOST_TURNS: Final = 4
# A request goes on with the last conversation with this chance, until it has `MOST_TURNS`.
GOES_ON: Final = 0.4
# Users that a harvest invents; the first come most often.
MOST_USERS: Final = 25
# What a harvest needs to get what it is after.
_NEEDED: Final = ("logprobs", "top_logprobs")
_REPLIES: Final = ("Here it is.", "Sure.", "Done, see below.", "I have put it together.", "Yes, of course.")


def add_system_prompts(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Put the system prompts of the donor before what is asked, or leave them out as the donor does."""
    prompts = [event["messages"][0] for event in donor if event.get("messages")] or [{"role": "user"}]
    found = []
    for event in events:
        prompt = dice.choice(prompts)
        own = [message for message in event.get("messages") or () if message["role"] != "system"]
        found.append(_with_messages(event, [prompt, *own] if prompt["role"] == "system" else own))
    return found


def add_end_users(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Name end users who come back: as many as the donor has, or a few."""
    known = len({event["end_user"] for event in donor if event.get("end_user")})
    users = [f"u_{dice.randrange(10_000)}" for _ in range(known or dice.randrange(2, MOST_USERS))]
    return [{**event, "end_user": users[int(len(users) * dice.random() ** 2)]} for event in events]


def group_into_conversations(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Group requests into conversations, each with the messages before it and the donor's answers between them."""
    replies = [one["content"] for event in donor for one in event.get("messages") or () if one["role"] == "assistant"]
    found: list[Event] = []
    name, history = "", list[dict[str, str]]()
    for event in events:
        messages = [*(event.get("messages") or ())]
        frame = [message for message in messages if message["role"] == "system"]
        own = [message for message in messages if message["role"] != "system"]
        is_same_user = bool(found) and found[-1].get("end_user") == event.get("end_user")
        turns = sum(message["role"] == "user" for message in history)
        if not name or not is_same_user or turns >= MOST_TURNS or dice.random() > GOES_ON:
            name, history = f"c_{dice.getrandbits(40):010x}", []
        answer = {"role": "assistant", "content": dice.choice(replies or _REPLIES)}
        history = [*history, *([answer] if history else []), *own]
        found.append(_with_messages({**event, "conversation": name}, [*frame, *history]))
    return found


def copy_settings(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Send the parameters, the model and the program of the donor."""
    found = []
    for event in events:
        other = dice.choice(donor)
        needed = {name: value for name, value in (event.get("parameters") or {}).items() if name in _NEEDED}
        client = {**(event.get("client") or {}), "user_agent": (other.get("client") or {}).get("user_agent")}
        settings = {**(other.get("parameters") or {}), **needed}
        found.append({**event, "parameters": settings, "model": other["model"], "client": client})
    return found


def copy_pace(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Ask at the times of day and on the days on which the donor asks, spread over all of its time."""
    times = sorted(_at(dice.choice(donor)) + timedelta(minutes=dice.uniform(-20, 20)) for _ in events)
    return [{**event, "occurred_at": _stamp(at)} for event, at in zip(events, times, strict=True)]


def add_cover(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Mix in as many requests of the donor's own, if it has so many."""
    account = events[0]
    same = {name: account[name] for name in ("account", "organisation", "api_key", "client") if name in account}
    chosen = dice.sample([*donor], min(len(donor), len(events)))
    has_text = any(event.get("messages") for event in events)
    cover = [{**event, **same, "id": f"cover_{account['account']}_{event['id']}"} for event in chosen]
    if not has_text:
        cover = [_with_messages(event, []) for event in cover]
    return sorted([*events, *cover], key=lambda event: str(event["occurred_at"]))


def paraphrase_prompts(events: Sequence[Event], donor: Sequence[Event], dice: Random) -> list[Event]:
    """Ask the same in other words every time. Needs nothing of the donor."""
    del donor
    found = []
    for event in events:
        messages = [
            {**message, "content": paraphrase(message["content"], dice)} if message["role"] == "user" else message
            for message in event.get("messages") or ()
        ]
        found.append(_with_messages(event, messages))
    return found


def split_over_accounts(events: Sequence[Event], *, most: int, account: str, dice: Random) -> Iterator[list[Event]]:
    """Yield the requests of each of so many accounts that none has more than `most`, dealt out in turn.

    Each but the first has a name, an organisation, a key and an address of its own.
    """
    parts = -(-len(events) // most)
    for part in range(parts):
        own: dict[str, Any] = {}
        if part:
            ip = f"10.{dice.randrange(128, 256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"
            name = f"{account}~{part}"
            own = {"account": name, "organisation": f"org~{name}", "api_key": f"key~{name}"}
            own["client"] = {**(events[0].get("client") or {}), "ip": ip}
        yield [{**event, **own} for event in events[part::parts]]


def _with_messages(event: Event, messages: list[dict[str, str]]) -> Event:
    """Return the event with these messages; one without text stays so."""
    if "messages" not in event:
        return event
    changed = {name: value for name, value in event.items() if name != "messages"}
    return {**changed, "messages": messages} if messages else changed


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
