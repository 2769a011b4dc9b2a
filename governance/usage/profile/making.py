"""From the events of a batch to parts of profiles: arrays, no loop over events. Pure.

Batches are small, so what counts is the number of steps and what each costs before it begins. That is why this is
arithmetic on arrays: planning one query over all these columns takes longer than the arithmetic of a batch.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl

from governance.usage.markers import MAKING, MARKERS, WORK, mask_of
from governance.usage.profile import distincts, samples, tallies
from governance.usage.profile.tallies import MOST_BUCKET, STATUSES, TRAITS, Numbers, code

HOUR: Final = ("account_id", "model", "hour")
SUMS: Final = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")

COLD: Final = 0.25
HOT: Final = 0.6
SHORT_CAP: Final = 64

_SETTINGS: Final = ("temperature", "top_p", "n", "max_tokens", "logprobs", "stream", "response_format")
_TEXTS: Final = {
    distincts.Kind.END_USER: "end_user",
    distincts.Kind.CONVERSATION: "conversation",
    distincts.Kind.ADDRESS: "ip",
    distincts.Kind.CLIENT: "user_agent",
    distincts.Kind.KEY: "api_key",
}
_NUMBERS: Final = {
    distincts.Kind.PROMPT: "prompt_digest",
    distincts.Kind.TEMPLATE: "template_digest",
    distincts.Kind.SYSTEM: "system_digest",
    distincts.Kind.NETWORK: "asn",
}
_STATUS: Final = {status: place for place, status in enumerate(STATUSES)}
_HOUR_US: Final = 3_600_000_000
_SYSTEM: Final = "system_digest"


def parts(events: pl.DataFrame) -> pl.DataFrame:
    """One part of a profile for each account, model and hour; `events` has the columns of `usage.columns`."""
    order, starts = _by_hour(events)
    events = events[order]
    at = events["occurred_at"].to_numpy().astype(np.int64)
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(at))))
    text = _present(events["prompt_digest"])
    template, sketch = (_integers(events[name])[text] for name in ("template_digest", "sketch"))
    last = np.append(starts[1:], len(at)) - 1
    owners = len(starts)
    return pl.DataFrame(
        {
            "account_id": events["account_id"].gather(starts),
            "model": events["model"].gather(starts),
            "hour": (at[starts] // _HOUR_US * _HOUR_US).astype("datetime64[us]"),
            "first_at": at[starts].astype("datetime64[us]"),
            "last_at": at[last].astype("datetime64[us]"),
            **_sums(events, starts, at),
            "tallies": tallies.pack(*_joined([*_tallies(events, owner)]), owners=owners),
            "distincts": distincts.pack(*_joined([*_distincts(events, owner)]), owners=owners),
            "templates": samples.pack_templates(owner[text], template, owners=owners),
            "sketches": samples.pack_sketches(owner[text], sketch, owners=owners),
        }
    )


def _by_hour(events: pl.DataFrame) -> tuple[Numbers, Numbers]:
    """The order by account, model and time, and where in it an hour begins."""
    at = events["occurred_at"].to_numpy().astype(np.int64)
    models = events["model"].to_list()
    number = {model: place for place, model in enumerate(sorted(set(models)))}
    account, model, hour = events["account_id"].to_numpy(), np.array([*map(number.get, models)]), at // _HOUR_US
    order = np.lexsort((at, model, account))
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = np.logical_or.reduce([np.diff(column[order]) != 0 for column in (account, model, hour)])
    return order, np.flatnonzero(begins)


def _traits(events: pl.DataFrame) -> dict[str, Numbers]:
    # As floats, whose comparisons with what is null are false.
    temperature, cap, turns = (events[name].to_numpy() for name in ("temperature", "max_tokens", "turns"))
    formats, markers = events["response_format"].to_list(), _markers(events)
    structured = np.array([bool(one) and one.startswith("json") for one in formats])
    text, system, end_user, conversation = (
        _present(events[name]) for name in ("prompt_digest", _SYSTEM, "end_user", "conversation")
    )
    given, got = events["input_tokens"].to_numpy(), events["output_tokens"].to_numpy()
    tools, hot, follow_up = events["tools"].to_numpy() > 0, temperature >= HOT, turns > 1
    standalone = ~(end_user | conversation | tools | structured | follow_up)
    return {
        "stream": events["stream"].to_numpy(),
        "seeded": events["seeded"].to_numpy(),
        "logprobs": events["logprobs"].to_numpy(),
        "cold": temperature < COLD,
        "hot": hot,
        "unset_temperature": ~_present(events["temperature"]),
        "tools": tools,
        "structured": structured,
        "short_cap": cap <= SHORT_CAP,
        "reasoning": events["reasoning_tokens"].to_numpy() > 0,
        "long_output": got > 4 * np.maximum(given, 8).astype(np.int64),
        "standalone": standalone,
        "varied": standalone & (hot | (events["n"].to_numpy() > 1)),
        "end_user": end_user,
        "conversation": conversation,
        "text": text,
        "system": system,
        "follow_up": follow_up,
        "bare": text & standalone & ~system,
        "making": (markers & mask_of(MAKING)) > 0,
        "work": (markers & mask_of(WORK)) > 0,
    }


def _sums(events: pl.DataFrame, starts: Numbers, at: Numbers) -> dict[str, pl.Series]:
    def added(values: Numbers, kind: Any) -> pl.Series:
        return pl.Series(np.add.reduceat(values, starts), dtype=kind)

    failed = np.array([status != "ok" for status in events["status"].to_list()], dtype=np.int64)
    given, got = (events[name].to_numpy().astype(np.float64) for name in ("input_tokens", "output_tokens"))
    seconds, known = _gaps(at, starts)
    return {
        "requests": added(np.ones(len(at), dtype=np.int64), pl.Int32),
        "failures": added(failed, pl.Int32),
        **{name: added(events[name].to_numpy().astype(np.int64), pl.Int64) for name in SUMS},
        "input_squares": added(given * given, pl.Float64),
        "output_squares": added(got * got, pl.Float64),
        "gaps": added(known.astype(np.int64), pl.Int32),
        "gap_seconds": added(seconds, pl.Float64),
        "gap_squares": added(seconds * seconds, pl.Float64),
    }


def _gaps(at: Numbers, starts: Numbers) -> tuple[Numbers, Numbers]:
    """Seconds since the request before, and whether there was one in the same part."""
    seconds, known = np.zeros(len(at)), np.ones(len(at), dtype=bool)
    seconds[1:] = np.diff(at) / 1e6
    seconds[starts], known[starts] = 0.0, False
    return seconds, known


Coded = tuple[Numbers, Numbers]


def _tallies(events: pl.DataFrame, owner: Numbers) -> Iterator[Coded]:
    """Owner and code of everything that is counted."""
    kind = tallies.Kind
    given, got = events["input_tokens"].to_numpy(), events["output_tokens"].to_numpy()
    yield owner, code(kind.STATUS, np.array([_STATUS[status] for status in events["status"].to_list()]))
    yield owner, code(kind.INPUT, tallies.by_logarithm(given))
    yield owner, code(kind.OUTPUT, tallies.by_logarithm(got))
    yield owner, code(kind.RATIO, tallies.ratio_bucket(got, given))
    settings = zip(*(events[name].to_list() for name in _SETTINGS), strict=True)
    yield owner, code(kind.PARAMETERS, np.array([*map(_settings_bucket, settings)]))
    for column, one in (("n", kind.ANSWERS), ("top_logprobs", kind.TOP_LOGPROBS)):
        values = events[column].to_numpy()
        some = values > (one is kind.ANSWERS)
        yield owner[some], code(one, values[some])
    for column, one in (("country", kind.COUNTRY), ("language", kind.LANGUAGE)):
        letters = np.array([*map(tallies.letters, events[column].to_list())])
        yield owner[letters > 0], code(one, letters[letters > 0])
    text, system = _present(events["topic"]), _present(events[_SYSTEM])
    yield owner[text], code(kind.TOPIC, _integers(events["topic"])[text])
    yield owner[system], code(kind.SYSTEM, _bucket(_integers(events[_SYSTEM])[system]))
    traits = _traits(events)
    yield _set(owner, np.column_stack([traits[name] for name in TRAITS]), kind.TRAIT)
    yield _set(owner, (_markers(events)[:, None] >> np.arange(len(MARKERS))) & 1, kind.MARKER)


def _distincts(events: pl.DataFrame, owner: Numbers) -> Iterator[Coded]:
    for kind, column in _NUMBERS.items():
        some = _present(events[column])
        yield owner[some], distincts.codes(kind, _integers(events[column])[some])
    for kind, column in _TEXTS.items():
        some = _present(events[column])
        yield (
            owner[some],
            distincts.codes(kind, distincts.hashes(text for text in events[column].to_list() if text is not None)),
        )


def _present(column: pl.Series) -> Numbers:
    """What is not null."""
    if not column.null_count():
        return np.ones(len(column), dtype=bool)
    return np.array([value is not None for value in column.to_list()])


def _integers(column: pl.Series) -> Numbers:
    """The numbers to the last bit, 0 for what is null."""
    if not column.null_count():
        return column.to_numpy()
    return np.array([value or 0 for value in column.to_list()], dtype=np.int64)


def _markers(events: pl.DataFrame) -> Numbers:
    return _integers(events["markers"])


@lru_cache(maxsize=65_536)
def _settings_bucket(settings: tuple[Any, ...]) -> int:
    told = "|".join("" if value is None else str(value) for value in settings)
    return int(_bucket(distincts.hashes([told]))[0])


def _bucket(numbers: Numbers) -> Numbers:
    return (distincts.mix(numbers.astype(np.int64).view(np.uint64)) % np.uint64(MOST_BUCKET + 1)).astype(np.int64)


def _set(owner: Numbers, table: Numbers, kind: tallies.Kind) -> Coded:
    """What is not nought in a table of a row an event and a column a bucket."""
    rows, buckets = np.nonzero(table)
    return owner[rows], code(kind, buckets)


def _joined(coded: Sequence[Coded]) -> Coded:
    owners, codes = zip(*coded, strict=True)
    return np.concatenate(owners), np.concatenate(codes)
