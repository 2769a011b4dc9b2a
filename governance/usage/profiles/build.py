"""Builds profile deltas from the events of a batch, with NumPy and no loop over events. Pure.

Batches are small, so the cost is in the number of steps and the overhead of each. Planning one polars query over all
these columns takes longer than the arithmetic of a batch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import polars as pl

from accounts.normalization import customer_network
from governance.usage.markers import MARKERS
from governance.usage.murmur import mix64
from governance.usage.profiles import answer_samples, bottom_k, histograms, hyperloglog, top_k
from governance.usage.profiles.entries import Numbers
from governance.usage.profiles.histograms import MAX_BUCKET, STATUSES, encode
from governance.usage.profiles.merging import COUNTERS, DELTA_SCHEMA, SKETCHES, TOKENS
from governance.usage.profiles.traits import TRAITS, EventArrays, ShareOf, int_array, is_present, trait_codes
from governance.usage.reading.manner import Manner

# What `build_token_deltas` takes of an event: the columns of `sql.COMPLETE_EVENTS`.
TOKEN_COLUMNS: Final = ("account_id", "model", "at", *TOKENS)

_SETTINGS: Final = ("temperature", "top_p", "n", "max_tokens", "logprobs", "stream", "response_format")
_TEXTS: Final = {
    hyperloglog.Counted.END_USER: "end_user",
    hyperloglog.Counted.CONVERSATION: "conversation",
    hyperloglog.Counted.ADDRESS: "ip",
    hyperloglog.Counted.CLIENT: "user_agent",
    hyperloglog.Counted.KEY: "api_key",
}
_NUMBERS: Final = {
    hyperloglog.Counted.PROMPT: "prompt_digest",
    hyperloglog.Counted.TEMPLATE: "template_digest",
    hyperloglog.Counted.SYSTEM: "system_digest",
    hyperloglog.Counted.NETWORK: "asn",
}
_STATUS: Final = {status: place for place, status in enumerate(STATUSES)}
_HOUR_US: Final = 3_600_000_000
_SYSTEM: Final = "system_digest"
_SLOT_US: Final = 600_000_000


def build_deltas(events: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Return one delta for each account, model and hour of a batch, in that order; columns of `DELTA_SCHEMA`.

    Args:
        events: the columns of `usage.event_columns`, lists of the same length; times are microseconds since 1970.

    `first_at` to `last_at` spans the requests of the delta; gaps are those between its own requests, in seconds.
    """
    at = np.array(events["at"], dtype=np.int64)
    order, starts, owner = _by_hour(events, at)
    owners = len(starts)
    first, last = order[starts], order[np.append(starts[1:], len(at)) - 1]
    text = is_present(events["prompt_digest"])
    template, sketch = (int_array(events[name])[text] for name in ("template_digest", "sketch"))
    located = is_present(events["ip"])
    runs = np.array([len(found or ()) for found in events["shingles"]])
    shingle = np.array([one for found in events["shingles"] for one in found or ()], dtype=np.int64)
    address = np.array([address_digest(ip) for ip in events["ip"] if ip is not None], dtype=np.int64)
    return pl.DataFrame(
        {
            "account_id": np.array(events["account_id"])[first],
            "model": [events["model"][place] for place in first],
            "hour": (at[first] // _HOUR_US * _HOUR_US).astype("datetime64[us]"),
            "first_at": at[first].astype("datetime64[us]"),
            "last_at": at[last].astype("datetime64[us]"),
            **_sums(events, owner, owners),
            **_gap_sums(at[order], starts),
            "slots": np.bitwise_or.reduceat(1 << (at[order] % _HOUR_US // _SLOT_US), starts),
            "histograms": histograms.pack(*_concatenate([*_histogram_entries(events, owner)]), owners=owners),
            "distinct_counts": hyperloglog.pack(*_concatenate([*_distinct_entries(events, owner)]), owners=owners),
            "templates": top_k.pack_top_k(owner[text], template, owners=owners),
            **{name: _most_used(events[name], owner, owners) for name in ("openings", "closings")},
            "addresses": top_k.pack_top_k(owner[located], address, owners=owners),
            "sketches": bottom_k.pack_bottom_k(owner[text], sketch, owners=owners),
            "shingles": bottom_k.pack_bottom_k(np.repeat(owner, runs), shingle, owners=owners),
            "answers": answer_samples.build_samples(events, owner, owners),
        },
        schema=DELTA_SCHEMA,
    )


def build_token_deltas(events: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Return deltas that only add token counts to requests that were counted before, with `requests` 0.

    Args:
        events: the columns `TOKEN_COLUMNS`, lists of the same length.

    >>> columns = {"account_id": [7], "model": ["flagship-2"], "at": [1_793_607_247_000_000], "input_tokens": [812],
    ...            "output_tokens": [1403], "cached_input_tokens": [0], "reasoning_tokens": [0]}
    >>> build_token_deltas(columns).select("hour", "requests", "input_tokens", "output_tokens").row(0)
    (datetime.datetime(2026, 11, 2, 8, 0), 0, 812, 1403)
    """
    at = np.array(events["at"], dtype=np.int64)
    order, starts, owner = _by_hour(events, at)
    owners = len(starts)
    first, last = order[starts], order[np.append(starts[1:], len(at)) - 1]
    index, traits = trait_codes(EventArrays(events), [one for one in TRAITS if one.share_of is ShareOf.COUNTED])
    coded = [*_token_entries(events, owner), (owner[index], encode(histograms.Histogram.TRAIT, traits))]
    added = _token_sums(events, owner, owners)
    return pl.DataFrame(
        {
            "account_id": np.array(events["account_id"])[first],
            "model": [events["model"][place] for place in first],
            "hour": (at[first] // _HOUR_US * _HOUR_US).astype("datetime64[us]"),
            "first_at": at[first].astype("datetime64[us]"),
            "last_at": at[last].astype("datetime64[us]"),
            **{name: np.zeros(owners) for name in COUNTERS if name not in {"first_at", "last_at", *added}},
            **added,
            **{name: [b""] * owners for name in SKETCHES},
            "histograms": histograms.pack(*_concatenate(coded), owners=owners),
        },
        schema_overrides=DELTA_SCHEMA,
    ).select(pl.col(name).cast(kind) for name, kind in DELTA_SCHEMA.items())


# Most requests come from few addresses.
@lru_cache(maxsize=131_072)
def address_digest(address: str) -> int:
    """Return a digest of an IPv4 address, or of the /64 network of an IPv6 address: 64 bits of BLAKE2b, signed.

    >>> address_digest("2001:db8::1") == address_digest("2001:db8::2")
    True
    """
    network = customer_network(address)
    return int.from_bytes(blake2b(network.encode(), digest_size=8).digest(), "big", signed=True)


def _by_hour(events: Mapping[str, Sequence[Any]], at: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the order by account, model and time, where in that order each hour starts, and the hour of each event."""
    number = {model: place for place, model in enumerate(sorted(set(events["model"])))}
    account, model = np.array(events["account_id"]), np.array([*map(number.get, events["model"])])
    order = np.lexsort((at, model, account))
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = np.logical_or.reduce([np.diff(column[order]) != 0 for column in (account, model, at // _HOUR_US)])
    owner = np.empty_like(order)
    owner[order] = np.cumsum(begins) - 1
    return order, np.flatnonzero(begins), owner


def _most_used(column: Sequence[Any], owner: Numbers, owners: int) -> list[bytes]:
    """Return the digests used most of a column of tuples of digests."""
    number = np.array([len(found or ()) for found in column])
    digests = np.array([one for found in column for one in found or ()], dtype=np.int64)
    return top_k.pack_top_k(np.repeat(owner, number), digests, owners=owners)


def _sums(events: Mapping[str, Sequence[Any]], owner: Numbers, owners: int) -> dict[str, Numbers]:
    def added(values: Numbers | None = None) -> Numbers:
        return np.bincount(owner, weights=values, minlength=owners)

    failed = np.array([status != "ok" for status in events["status"]], dtype=float)
    return {
        "requests": added(),
        "failures": added(failed).astype(np.int64),
        **_token_sums(events, owner, owners),
    }


def _token_sums(events: Mapping[str, Sequence[Any]], owner: Numbers, owners: int) -> dict[str, Numbers]:
    def added(values: Numbers) -> Numbers:
        return np.bincount(owner, weights=values, minlength=owners)

    tokens = {name: int_array(events[name]).astype(float) for name in TOKENS}
    given, got = tokens["input_tokens"], tokens["output_tokens"]
    return {
        **{name: added(values).astype(np.int64) for name, values in tokens.items()},
        "input_squares": added(given * given),
        "output_squares": added(got * got),
    }


def _gap_sums(at: Numbers, starts: Numbers) -> dict[str, Numbers]:
    """Return number, seconds and seconds² of the gaps within each delta; `at` is sorted by delta and time."""
    seconds, known = np.zeros(len(at)), np.ones(len(at))
    seconds[1:] = np.diff(at) / 1e6
    seconds[starts] = known[starts] = 0
    names = ("gaps", "gap_seconds", "gap_squares")
    return {
        name: np.add.reduceat(values, starts)
        for name, values in zip(names, (known, seconds, seconds * seconds), strict=True)
    }


Coded = tuple[Numbers, Numbers]


def _histogram_entries(events: Mapping[str, Sequence[Any]], owner: Numbers) -> Iterator[Coded]:
    """Yield owner and code of everything that the histograms count."""
    kind = histograms.Histogram
    yield owner, encode(kind.STATUS, np.array([*map(_STATUS.get, events["status"])]))
    yield from _token_entries(events, owner)
    settings = zip(*(events[name] for name in _SETTINGS), strict=True)
    yield owner, encode(kind.PARAMETERS, np.array([*map(_settings_bucket, settings)]))
    for column, one, usual in (("n", kind.ANSWERS, 1), ("top_logprobs", kind.TOP_LOGPROBS, 0)):
        values = np.array(events[column])
        some = values > usual
        yield owner[some], encode(one, values[some])
    for column, one in (("country", kind.COUNTRY), ("language", kind.LANGUAGE)):
        letters = np.array([*map(histograms.two_letter_bucket, events[column])])
        yield owner[letters > 0], encode(one, letters[letters > 0])
    text, system = is_present(events["topic"]), is_present(events[_SYSTEM])
    yield owner[text], encode(kind.TOPIC, int_array(events["topic"])[text])
    yield owner[system], encode(kind.SYSTEM, _bucket(int_array(events[_SYSTEM])[system]))
    arrays = EventArrays(events)
    index, traits = trait_codes(arrays)
    yield owner[index], encode(kind.TRAIT, traits)
    for column, one in (("reads", kind.READS), ("concept", kind.CONCEPT), ("opening_word", kind.OPENING)):
        some = is_present(events[column])
        yield owner[some], encode(one, int_array(events[column])[some])
    some = is_present(events["opening_word"]) & arrays.is_written(Manner.IMPERATIVE)
    yield owner[some], encode(kind.ITEM_OPENING, int_array(events["opening_word"])[some])
    index, markers = np.nonzero((int_array(events["markers"])[:, None] >> np.arange(len(MARKERS))) & 1)
    yield owner[index], encode(kind.MARKER, markers)


def _token_entries(events: Mapping[str, Sequence[Any]], owner: Numbers) -> Iterator[Coded]:
    """Yield owner and code of the token counts that are known: zero and unknown are not the same."""
    kind = histograms.Histogram
    given, got = (int_array(events[name]) for name in ("input_tokens", "output_tokens"))
    for one, column, values in ((kind.INPUT, "input_tokens", given), (kind.OUTPUT, "output_tokens", got)):
        known = is_present(events[column])
        yield owner[known], encode(one, histograms.log_bucket(values[known]))
    counted = EventArrays(events).is_counted
    yield owner[counted], encode(kind.RATIO, histograms.ratio_bucket(got[counted], given[counted]))


def _distinct_entries(events: Mapping[str, Sequence[Any]], owner: Numbers) -> Iterator[Coded]:
    for kind, column in _NUMBERS.items():
        some = is_present(events[column])
        yield owner[some], hyperloglog.encode(kind, int_array(events[column])[some])
    for kind, column in _TEXTS.items():
        some = is_present(events[column])
        given: Iterable[str] = (text for text in events[column] if text is not None)
        if kind is hyperloglog.Counted.ADDRESS:
            given = map(customer_network, given)
        yield owner[some], hyperloglog.encode(kind, hyperloglog.hash_texts(given))


@lru_cache(maxsize=65_536)
def _settings_bucket(settings: tuple[Any, ...]) -> int:
    text = "|".join("" if value is None else str(value) for value in settings)
    return int(_bucket(hyperloglog.hash_texts([text]))[0])


def _bucket(numbers: Numbers) -> Numbers:
    return (mix64(numbers.astype(np.int64).view(np.uint64)) % np.uint64(MAX_BUCKET + 1)).astype(np.int64)


def _concatenate(coded: Sequence[Coded]) -> Coded:
    owners, codes = zip(*coded, strict=True)
    return np.concatenate(owners), np.concatenate(codes)
