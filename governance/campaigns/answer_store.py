"""Store samples of the answers that accounts got, and find them in what accounts of other organisations send."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypedDict

from django.db import connection

from governance.campaigns.models import AnswerSample
from governance.usage.account_usage import AccountUsage
from governance.usage.profiles.answer_samples import Sampled, contained_share

# So many digests of each kind are stored of an account: those with the smallest hashes, so that samples compare.
KEPT: Final = 64
# What more accounts have is an everyday phrase.
MOST_ACCOUNTS: Final = 20


class AccountForAnswers(Protocol):
    """What is needed to know about an account."""

    @property
    def account(self) -> int: ...
    @property
    def organisation(self) -> int | None: ...
    @property
    def usage(self) -> AccountUsage: ...


class AnswerFacts(TypedDict, total=False):
    """Facts about an account: see `AccountFacts`."""

    others_answers_share: float
    others_answers_of: int
    shared_reasoning: int
    reasoning_accounts: int


class _Match(NamedTuple):
    """A sampled digest of an account that another one has too."""

    account: int
    kind: int
    other: int
    digest: int


def store_answers(views: Sequence[AccountForAnswers]) -> None:
    """Store the samples of these accounts in place of their earlier ones. Runs in the caller's transaction."""
    rows = [
        AnswerSample(account_id=one.account, kind=kind.value, digest=digest)
        for one in views
        for kind, digests in ((Sampled.ANSWER, one.usage.answer_runs), (Sampled.REASONING, one.usage.reasoning))
        for digest in digests[:KEPT]
    ]
    AnswerSample.objects.filter(account__in=[one.account for one in views]).delete()
    AnswerSample.objects.bulk_create(rows)


def find_answers_of_others(views: Collection[AccountForAnswers]) -> dict[int, AnswerFacts]:
    """Return what these accounts send of the answers of other organisations' accounts; two queries for all of them.

    No query where none of them reported an answer.
    """
    sent = [
        (one.account, one.organisation, kind.value, digest)
        for one in views
        for kind, digests in ((Sampled.QUESTION, one.usage.question_runs), (Sampled.REASONING, one.usage.reasoning))
        for digest in digests
    ]
    if not sent:
        return {}
    with connection.cursor() as cursor:
        columns = [*map(list, zip(*sent, strict=True))]
        cursor.execute(_MATCHES, [*columns, Sampled.QUESTION.value, Sampled.ANSWER.value, MOST_ACCOUNTS])
        matches = [_Match(*row) for row in cursor.fetchall()]
    closest = _closest(matches)
    samples = _samples({*closest.values()})
    questions = {one.account: one.usage.question_runs for one in views}
    facts: dict[int, AnswerFacts] = defaultdict(AnswerFacts)
    for account, other in closest.items():
        share, compared = contained_share(questions[account], samples[other], size=KEPT)
        facts[account] |= {"others_answers_share": share, "others_answers_of": compared}
    for account, blocks in _by_account(matches, Sampled.REASONING).items():
        facts[account] |= {
            "shared_reasoning": len({one.digest for one in blocks}),
            "reasoning_accounts": len({one.other for one in blocks}),
        }
    return dict(facts)


_MATCHES: Final = """
WITH sent AS (
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[])
        AS sent (account, organisation, kind, digest)
), known AS (
    SELECT kind, digest, array_agg(account_id) AS accounts FROM campaigns_answersample
    WHERE digest IN (SELECT digest FROM sent) GROUP BY kind, digest
)
SELECT sent.account, sent.kind, other.id, sent.digest
FROM sent JOIN known ON known.digest = sent.digest AND known.kind = CASE sent.kind WHEN %s THEN %s ELSE sent.kind END
    AND cardinality(known.accounts) <= %s
JOIN accounts_account AS other ON other.id = ANY(known.accounts) AND other.id <> sent.account
    AND (other.organisation_id IS DISTINCT FROM sent.organisation OR sent.organisation IS NULL)
"""


def _by_account(matches: Collection[_Match], kind: Sampled) -> Mapping[int, list[_Match]]:
    found: dict[int, list[_Match]] = defaultdict(list)
    for one in matches:
        if one.kind == kind:
            found[one.account].append(one)
    return found


def _closest(matches: Collection[_Match]) -> dict[int, int]:
    """Return of each account the other one whose answers have most of its first questions' runs."""
    closest = {}
    for account, found in _by_account(matches, Sampled.QUESTION).items():
        counts = Counter(one.other for one in found)
        closest[account] = max(counts, key=lambda other: (counts[other], -other))
    return closest


def _samples(accounts: Collection[int]) -> Mapping[int, list[int]]:
    samples: dict[int, list[int]] = defaultdict(list)
    if accounts:
        rows = AnswerSample.objects.filter(account__in=accounts, kind=Sampled.ANSWER)
        for account, digest in rows.values_list("account_id", "digest"):
            samples[account].append(digest)
    return samples
