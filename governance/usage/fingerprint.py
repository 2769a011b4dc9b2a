"""What is kept of a prompt: keyed digests, a sketch, a few named markers and counts. Never a word of it.

Digests and sketch are keyed, so that nobody who reads the table can test a guess at a prompt without the key.
Two requests have the same

- `prompt_digest` when they say the same, apart from letter case and line breaks,
- `template_digest` when they wrap their payload in the same words (see `governance.usage.prompt_template`),
- one of the `openings` or `closings` when what was asked begins or ends in the same words, whatever the system prompt,
- `system_digest` when they carry the same system prompt,
- nearly the same `sketch` when they share most of their words (MinHash, Broder 1997), which shows in the Hamming
  distance.

Nothing here knows Django or a database: a gateway can import this module, make the fingerprint itself and send it
instead of the text (docs/usage-events.md).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import import_module
from itertools import chain, islice, pairwise
from typing import Annotated, Any, Final
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from governance.usage.markers import MARKERS
from governance.usage.murmur import mix64
from governance.usage.pattern_set import match_patterns
from governance.usage.prompt_template import extract_edges, extract_template
from governance.usage.prompts import read_prompt
from governance.usage.reading.concepts import CONCEPTS, STEPS
from governance.usage.reading.manner import MANNERS
from governance.usage.reading.readings import OPENINGS, read_prompts
from governance.usage.reading.words import split_words
from governance.usage.topics import TOPIC_NAMES

try:
    import eldc
except ImportError:  # it has no wheel for this Python or platform
    eldc = None

# The language of a text is detected by its beginning.
LANGUAGE_CHARS: Final = 200

# The four lowest bits of 16 minima (b-bit minwise hashing, Li and König 2010): 64 bits, half of which differ for
# unrelated texts.
PERMUTATIONS: Final = 16
_LOW_BITS: Final = np.uint32(0b1111)
_PLACES: Final = np.arange(0, 64, 4, dtype=np.uint64)

# Of the runs of so many words one in sixteen is looked at, chosen by its hash: the same ones in every text.
SHINGLE_WORDS: Final = 4
SHINGLE_SAMPLING: Final = 16
SHINGLES_KEPT: Final = 8
EDGES_KEPT: Final = 2
_RUN_FACTORS: Final = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93], dtype=np.uint64
)

_DIGEST_BYTES: Final = 8

Numbers = npt.NDArray[Any]

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Chars = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Small = Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)]


class Fingerprint(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one event's text.

    Digests and sketch are signed 64-bit integers, `markers` a bit mask (see `governance.usage.markers`), `topic` a
    number (see `governance.usage.topics`), `language` an ISO 639-1 code or empty. `prompt_chars` counts the characters
    of all messages together, `asked_chars` of what was asked last and `system_chars` of the system prompt;
    `system_place` is its place among the messages, from 0, and `turns` how often the user took the floor. `shingles`
    are a sample of the runs of four words in what was asked, as keyed digests: a corpus that is known by such digests
    is recognised in them, whatever it is wrapped in. `openings` and `closings` are digests of its first and last
    words and lines, without the system prompt (see `prompt_template.extract_edges`). `manner`, `reads`, `concept` and
    `opening_word` say how the prompt reads (see `governance.usage.reading.readings`); None where that was not measured.
    """

    prompt_digest: _Int64
    template_digest: _Int64
    system_digest: _Int64 | None
    sketch: _Int64
    markers: Annotated[int, msgspec.Meta(ge=0, lt=2 ** len(MARKERS))]
    topic: Annotated[int, msgspec.Meta(ge=0, lt=len(TOPIC_NAMES))]
    language: Annotated[str, msgspec.Meta(pattern="^([a-z]{2})?$")]
    prompt_chars: _Chars
    asked_chars: _Chars
    system_chars: _Chars
    system_place: _Small | None
    turns: _Small
    shingles: Annotated[tuple[_Int64, ...], msgspec.Meta(max_length=SHINGLES_KEPT)] = ()
    openings: Annotated[tuple[_Int64, ...], msgspec.Meta(max_length=EDGES_KEPT)] = ()
    closings: Annotated[tuple[_Int64, ...], msgspec.Meta(max_length=EDGES_KEPT)] = ()
    manner: Annotated[int, msgspec.Meta(ge=0, lt=MANNERS)] | None = None
    reads: Annotated[int, msgspec.Meta(ge=0, lt=STEPS)] | None = None
    concept: Annotated[int, msgspec.Meta(ge=0, lt=len(CONCEPTS))] | None = None
    opening_word: Annotated[int, msgspec.Meta(ge=0, lt=OPENINGS)] | None = None


def fingerprint(*, messages: object = None, prompt: object = None, key: bytes) -> Fingerprint | None:
    """Fingerprint one event; None where it carries no text. Accepts whatever JSON can hold and never raises
    for it.

    `messages` follows the chat format of the OpenAI API, `prompt` is a string or a list of strings, `key`
    is secret, at most 64 bytes long.

    >>> one = fingerprint(prompt="Translate: good morning", key=b"secret")
    >>> other = fingerprint(prompt="TRANSLATE: Good Morning", key=b"secret")
    >>> one.prompt_digest == other.prompt_digest, one.template_digest == other.template_digest
    (True, True)
    """
    return fingerprints([(messages, prompt)], key=key)[0]


def fingerprints(texts: Iterable[tuple[object, object]], *, key: bytes) -> list[Fingerprint | None]:
    """Fingerprint many events, given as pairs of (messages, prompt); one result a pair, in their order.

    Every step goes through all texts at once, in code that is compiled: many together cost a third of each alone.
    """
    prompts = [read_prompt(messages, prompt) for messages, prompt in texts]
    present = [prompt for prompt in prompts if prompt is not None]
    if not present:
        return [None] * len(prompts)
    plain = [_plain(f"{prompt.system}\n{prompt.asked}") for prompt in present]
    words = split_words([prompt.asked for prompt in present])
    openings, closings = zip(*(extract_edges(prompt.asked) for prompt in present), strict=True)
    steps = zip(
        present,
        keyed_digests(
            (f"{text}\0{prompt.last}\0{prompt.chars}" for text, prompt in zip(plain, present, strict=True)), key
        ),
        keyed_digests(map(extract_template, present), key),
        minhash_sketches(words, key=key),
        sample_shingles(words, key=key),
        match_patterns(plain),
        detect_languages(prompt.asked for prompt in present),
        _digests_of_each(openings, key),
        _digests_of_each(closings, key),
        read_prompts(present, words, seed=_seed(key)),
        strict=True,
    )
    found = iter(
        [
            Fingerprint(
                prompt_digest, template, _system_digest(prompt.system, key) if prompt.system else None, sketched,
                matched.markers, matched.topic, language,
                prompt.chars, prompt.asked_chars, prompt.system_chars, prompt.system_place, prompt.turns, runs,
                opens, closes, *reading,
            )
            for prompt, prompt_digest, template, sketched, runs, matched, language, opens, closes, reading in steps
        ]
    )  # fmt: skip
    return [None if prompt is None else next(found) for prompt in prompts]


def keyed_digests(texts: Iterable[str], key: bytes) -> list[int]:
    """Return a keyed digest of each text, in order: 64 bits of BLAKE2b in its keyed mode (RFC 7693), signed."""
    keyed = blake2b(digest_size=_DIGEST_BYTES, key=key)
    row = bytearray()
    for text in texts:
        one = keyed.copy()
        one.update(text.encode())
        row += one.digest()
    found: list[int] = np.frombuffer(bytes(row), ">i8").tolist()
    return found


def _digests_of_each(texts: Iterable[Sequence[str]], key: bytes) -> list[tuple[int, ...]]:
    """Return the digests of each group of texts."""
    texts = [*texts]
    digests = iter(keyed_digests(chain.from_iterable(texts), key))
    return [tuple(islice(digests, len(group))) for group in texts]


def sample_shingles(words: Sequence[Sequence[bytes]], *, key: bytes) -> list[tuple[int, ...]]:
    """Return a sample of the runs of four words of each text: keyed 64-bit digests, signed, at most `SHINGLES_KEPT`.

    A run is in the sample if its digest is below 1/`SHINGLE_SAMPLING` of the range, whatever text it stands in, so
    that the samples of two texts can be compared (Broder 1997, On the resemblance and containment of documents).
    """
    whose, values = sampled_runs(words, key=key)
    bounds, runs = np.searchsorted(whose, np.arange(len(words) + 1)).tolist(), values.tolist()
    return [tuple(runs[start : min(end, start + SHINGLES_KEPT)]) for start, end in pairwise(bounds)]


def sampled_runs(words: Sequence[Sequence[bytes]], *, key: bytes) -> tuple[Numbers, Numbers]:
    """Return the whole sample: which text each run stands in and its digest, in order of both; shapes (n,).

    Digests are below 2^60, since one in `SHINGLE_SAMPLING` is kept, the lowest.
    """
    number = np.fromiter(map(len, words), np.int64, len(words))
    runs = int(number.sum()) - SHINGLE_WORDS + 1
    if runs < 1:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    hashed = np.fromiter(map(crc32, chain.from_iterable(words)), np.uint64, runs + SHINGLE_WORDS - 1)
    mixed = np.full(runs, np.uint64(_seed(key)))
    for place, factor in enumerate(_RUN_FACTORS):
        mixed += hashed[place : place + runs] * factor
    mixed = mix64(mixed)
    ends = np.cumsum(number)
    across = ends[:, None] - np.arange(1, SHINGLE_WORDS)  # runs that begin in one text and end in the next
    mixed[across[(across >= 0) & (across < runs)]] = np.iinfo(np.uint64).max
    chosen = np.flatnonzero(mixed < np.uint64(2**64 // SHINGLE_SAMPLING))
    owner = np.searchsorted(ends, chosen, side="right")
    order = np.lexsort((mixed[chosen], owner))
    return owner[order], mixed[chosen[order]].view(np.int64)


def minhash_sketches(words: Sequence[Sequence[bytes]], *, key: bytes) -> list[int]:
    """Return a MinHash of the set of words of each text: 64 bits, signed; 0 for a text without words.

    The sketch holds the four lowest bits of 16 minima (Li and König 2010, b-bit minwise hashing). Texts with Jaccard
    similarity `J` differ in 32 (1 - J) of 64 bits on average, with a standard deviation of 5 bits at J = 0.5.

    >>> same = minhash_sketches([[b"good", b"morning"], [b"morning", b"good"]], key=b"secret")
    >>> same[0] == same[1]
    True
    """
    matrix = RMinHash.digest_matrix_from_token_byte_sets(words, PERMUTATIONS, _seed(key))
    minima = np.array(matrix.to_rows(), dtype=np.uint32).reshape(len(words), PERMUTATIONS)
    packed = ((minima & _LOW_BITS).astype(np.uint64) << _PLACES).sum(axis=1, dtype=np.uint64)
    packed[[not line for line in words]] = 0
    sketched: list[int] = packed.view(np.int64).tolist()
    return sketched


def minhash_sketch(text: str, *, key: bytes) -> int:
    """Return the MinHash of one text."""
    return minhash_sketches(split_words([text]), key=key)[0]


def detect_languages(texts: Iterable[str]) -> list[str]:
    """Return the language of each text as an ISO 639-1 code, judged by its first characters; empty where unclear."""
    detect = _language_detector()
    found = (detect(text[:LANGUAGE_CHARS]) for text in texts)
    return ["" if language in {None, "und"} else str(language) for language in found]


@cache
def _language_detector() -> Callable[[str], str | None]:
    """Return eldc's detector, or that of eld, which is the same in Python and takes fifty times as long."""
    if eldc is not None:
        eldc.init()
        return eldc.detect_mt  # type: ignore[no-any-return]
    slow = import_module("eld").LanguageDetector()
    return lambda text: slow.detect(text).language


@lru_cache(maxsize=2)
def _seed(key: bytes) -> int:
    return int.from_bytes(blake2b(b"sketch", digest_size=_DIGEST_BYTES, key=key).digest(), "big")


# Accounts have few system prompts, and send them with every request.
@lru_cache(maxsize=4096)
def _system_digest(system: str, key: bytes) -> int:
    return keyed_digests([_plain(system)], key)[0]


def _plain(text: str) -> str:
    return text.lower().replace("\n", " ")
