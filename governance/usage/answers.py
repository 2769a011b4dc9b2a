"""What is kept of an answer: keyed digests of some of its runs of four words, and two counts. Never a word of it.

An answer that comes back is recognised in later prompts by these runs, which are sampled as those of prompts are (see
`governance.usage.fingerprint.sample_shingles`). Runs that stand in the answer's own request are left out: an answer
that repeats, corrects or quotes what it was given says nothing of its own.

Nothing here knows Django or a database: a gateway can import this module, make the fingerprint itself and send it
instead of the text (docs/usage-events.md).
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import numpy as np

from governance.usage.fingerprint import SHINGLES_KEPT, keyed_digests, sampled_runs
from governance.usage.prompts import cut_text, read_text
from governance.usage.reading.words import split_words

# Of a longer answer, and of a longer request, the beginning and the end are read.
ANSWER_CHARS: Final = 16_384
REQUEST_CHARS: Final = 65_536
MOST_REASONING: Final = 64
_REASONING_DIGEST_CHARS: Final = 256
_MOST_COUNTED: Final = 2**15 - 1

# A line that is an item of a list: "3. …", "3) …", "- …", "* …", "• …".
_ITEM: Final = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]+\S", re.MULTILINE)

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

# Digests of signed reasoning blocks, as the gateway writes them.
ReasoningDigests = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=_REASONING_DIGEST_CHARS)], ...],
    msgspec.Meta(max_length=MOST_REASONING),
]


class AnswerFingerprint(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one answer.

    `runs` are keyed digests of runs of four words that its own request does not have, `chars` its characters, `items`
    how many of its lines are items of a list. `reasoning` are keyed digests of the signed reasoning blocks in request
    and answer.
    """

    runs: Annotated[tuple[_Int64, ...], msgspec.Meta(max_length=SHINGLES_KEPT)] = ()
    chars: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    items: Annotated[int, msgspec.Meta(ge=0, le=_MOST_COUNTED)] = 0
    reasoning: Annotated[tuple[_Int64, ...], msgspec.Meta(max_length=MOST_REASONING)] = ()


class AnswerText(NamedTuple):
    """The text of an answer with that of its request; each whatever JSON can hold.

    `output` is a string, or a list of strings, parts or messages; `reasoning` are digests of signed reasoning blocks.
    """

    output: object
    messages: object = None
    prompt: object = None
    reasoning: Sequence[str] = ()


def answer_fingerprints(answers: Iterable[AnswerText], *, key: bytes) -> list[AnswerFingerprint | None]:
    r"""Fingerprint many answers; None where there is neither text nor reasoning. Never raises for what JSON can hold.

    `key` is secret, the one that prompts are fingerprinted with.

    >>> given = [AnswerText("1. Tea\n2. Milk", prompt="What to buy?"), AnswerText(None)]
    >>> one, _ = answer_fingerprints(given, key=b"k")
    >>> one.chars, one.items, one.runs
    (14, 2, ())
    """
    answers = [*answers]
    outputs = [_answer(answer.output) for answer in answers]
    said = [place for place, output in enumerate(outputs) if output]
    runs: dict[int, tuple[int, ...]] = {}
    if said:
        given = [cut_text(_request(answers[place]), REQUEST_CHARS) for place in said]
        read = [cut_text(outputs[place], ANSWER_CHARS) for place in said]
        runs = dict(zip(said, _own_runs(read, given, key=key), strict=True))
    return [
        AnswerFingerprint(
            runs.get(place, ()),
            len(output),
            min(len(_ITEM.findall(output[:ANSWER_CHARS])), _MOST_COUNTED),
            tuple(sorted(set(keyed_digests(map(str, answer.reasoning[:MOST_REASONING]), key)))),
        )
        if output or answer.reasoning
        else None
        for place, (answer, output) in enumerate(zip(answers, outputs, strict=True))
    ]


def _answer(output: object) -> str:
    """The text of an answer; of several choices all of it."""
    if not isinstance(output, list):
        return read_text(output)
    texts = (read_text(one["content"] if isinstance(one, dict) and "content" in one else [one]) for one in output)
    return "\n".join(filter(None, texts))


def _request(answer: AnswerText) -> str:
    """The text of a whole request, earlier answers included."""
    messages = answer.messages if isinstance(answer.messages, list | tuple) else ()
    texts = (read_text(one.get("content")) for one in messages if isinstance(one, dict))
    return "\n".join(filter(None, texts)) or read_text(answer.prompt)


def _own_runs(answers: Sequence[str], requests: Sequence[str], *, key: bytes) -> list[tuple[int, ...]]:
    """Return sampled runs of each answer that its request does not have, the lowest first."""
    whose, values = sampled_runs(split_words([*answers, *requests]), key=key)
    bounds = np.searchsorted(whose, np.arange(len(answers) + len(requests) + 1)).tolist()
    parts: list[Any] = [values[start:end] for start, end in pairwise(bounds)]
    own = (
        np.setdiff1d(answer, request)
        for answer, request in zip(parts[: len(answers)], parts[len(answers) :], strict=True)
    )
    return [tuple(found[:SHINGLES_KEPT].tolist()) for found in own]
