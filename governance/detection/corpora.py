"""Known corpora of prompts: add and remove them, and recognise them in the prompts of accounts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, TypedDict

from django.conf import settings
from django.db import connection, transaction

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.detection.models import Corpus
from governance.platform.transactions import retried_transaction
from governance.usage.fingerprint import sample_shingles
from governance.usage.reading.words import split_words

BATCH: Final = 2_000
# No share is computed of fewer sampled runs than this.
MIN_RUNS: Final = 20


class CorpusFacts(TypedDict, total=False):
    """Facts about an account: the corpus that most of its sampled runs of words are in, which share of them, and the
    share that is in a known evaluation.
    """

    corpus: str
    corpus_share: float
    evaluation_share: float


class CorpusTooShortError(Exception):
    """The texts of a corpus are so short that it would match nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} would match nothing: about one in sixteen runs of four words is kept, and these texts are too "
            "short for one. Add more text."
        )


@transaction.atomic
def add_corpus(name: str, texts: Iterable[str], *, evaluation: bool, by: Actor, now: datetime) -> Corpus:
    """Store these texts as a known corpus, replacing one of the same name. Only keyed digests of them are kept.

    Not retried after a conflict, since `texts` can be read only once. Raises CorpusTooShortError.
    """
    corpus, _ = Corpus.objects.update_or_create(
        name=name, defaults={"evaluation": evaluation, "texts": 0, "runs": 0, "added_at": now}
    )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM detection_corpusshingle WHERE corpus_id = %s", [corpus.pk])
        read = iter(texts)
        while some := list(islice(read, BATCH)):
            corpus.texts += len(some)
            found = sample_shingles(split_words(some), key=settings.FINGERPRINT_KEY)
            runs = sorted({run for of_text in found for run in of_text})
            cursor.execute(_ADD, [corpus.pk, runs])
        cursor.execute("SELECT count(*) FROM detection_corpusshingle WHERE corpus_id = %s", [corpus.pk])
        (corpus.runs,) = cursor.fetchone()
    if not corpus.runs:
        raise CorpusTooShortError(name)
    corpus.save(update_fields=["texts", "runs"])
    details = {"texts": corpus.texts, "runs": corpus.runs, "evaluation": evaluation}
    record(Verb.CORPUS_ADDED, subject=("corpus", name), by=by, now=now, details=details)
    return corpus


@retried_transaction
def remove_corpus(name: str, *, by: Actor, now: datetime) -> bool:
    """Delete a known corpus. Return False if there is none of that name."""
    deleted, _ = Corpus.objects.filter(name=name).delete()
    if deleted:
        record(Verb.CORPUS_REMOVED, subject=("corpus", name), by=by, now=now)
    return bool(deleted)


_ADD: Final = """
INSERT INTO detection_corpusshingle (corpus_id, digest) SELECT %s, unnest(%s::bigint[])
ON CONFLICT (digest, corpus_id) DO NOTHING
"""

_RECOGNISE: Final = """
SELECT sent.account, corpus.name, corpus.evaluation, count(*)
FROM unnest(%s::bigint[], %s::bigint[]) AS sent (account, digest)
JOIN detection_corpusshingle AS run USING (digest) JOIN detection_corpus AS corpus ON corpus.id = run.corpus_id
GROUP BY sent.account, corpus.name, corpus.evaluation
"""


def recognise_corpora(samples: Mapping[int, Sequence[int]]) -> dict[int, CorpusFacts]:
    """Return what is recognised in the sampled runs of each account, in one query; empty without a known corpus."""
    if not Corpus.objects.exists():
        return {}
    sent = [(account, run) for account, runs in samples.items() if len(runs) >= MIN_RUNS for run in runs]
    with connection.cursor() as cursor:
        cursor.execute(_RECOGNISE, [*map(list, zip(*sent, strict=True))] if sent else [[], []])
        rows = cursor.fetchall()
    found: dict[int, CorpusFacts] = {}
    for account, name, evaluation, hits in rows:
        facts, share = found.setdefault(account, {}), hits / len(samples[account])
        if evaluation:
            facts["evaluation_share"] = max(facts.get("evaluation_share", 0.0), share)
        elif share > facts.get("corpus_share", 0.0):
            facts["corpus"], facts["corpus_share"] = name, share
    return found
