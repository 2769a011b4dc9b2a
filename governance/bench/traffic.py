"""Made-up usage events, as lines of JSON, quick to make and the same for the same seed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

import msgspec

# Stands where a number has to be put in before an event is sent again as another.
ROUND = b"@@round@@"


def event_lines(
    count: int, *, accounts: int, name: str, until: datetime, span: timedelta, prompt_bytes: int = 500
) -> Iterator[bytes]:
    """`count` events of `accounts` accounts within `span` before `until`, in order of time.

    Few accounts send much and many send little (Zipf); each has an address, a key, a client and settings of its own.
    """
    dice = Random(name)  # noqa: S311 - made-up traffic, no secrets
    spoken, known = random_words(dice), random_customers(accounts, name, dice)
    ranks = [*accumulate(1 / (rank + 10) for rank in range(accounts))]
    for number in range(count):
        at = until - span + span * number / count
        (customer,) = dice.choices(known, cum_weights=ranks)
        prompt = " ".join(dice.choices(spoken, k=max(1, prompt_bytes // 6)))
        yield event_line(f"{name}-{number}", at, customer, prompt, dice)


def event_line(event_id: str, at: datetime, customer: dict[str, Any], prompt: str, dice: Random) -> bytes:
    """One event as a line of JSON; without text where the prompt is empty."""
    return msgspec.json.encode(
        {
            "id": event_id,
            "occurred_at": at.astimezone(UTC).isoformat(),
            "input_tokens": 40 + len(prompt) // 4,
            "output_tokens": dice.randrange(1, 900),
            "latency_ms": dice.randrange(300, 20_000),
            **({"messages": [{"role": "user", "content": prompt}]} if prompt else {}),
            **customer,
        }
    )


def random_customers(number: int, name: str, dice: Random) -> list[dict[str, Any]]:
    """What is the same in all events of an account, for each of so many accounts."""
    return [_customer(place, name, dice) for place in range(number)]


def _customer(number: int, name: str, dice: Random) -> dict[str, Any]:
    return {
        "account": f"{name}-{number}",
        "api_key": f"key-{name}-{number}",
        "model": dice.choice(["flagship-2", "flagship-2", "mini-2"]),
        "client": {
            "ip": f"198.{18 + number % 2}.{number // 250 % 250}.{number % 250}",
            "asn": 64_500 + number % 90,
            "country": dice.choice(["NL", "US", "DE", "IN", "BR"]),
            "user_agent": dice.choice(["OpenAI/Python 2.20.0", "curl/8.5.0", "LangChain/1.4"]),
        },
        "parameters": {"temperature": dice.choice([0.0, 0.7, 1.0]), "max_tokens": 4096, "stream": number % 2 == 0},
    }


def random_words(dice: Random) -> list[str]:
    """Words of about five letters, among them some that patterns look for."""
    made = [f"{dice.choice('bcdfglmnprst')}{dice.choice('aeiou')}{dice.choice('lmnrst')}{n % 97}" for n in range(3_000)]
    return [*made, *("the", "of", "and", "to", "in", "explain", "write", "question", "answer", "show", "step") * 20]
