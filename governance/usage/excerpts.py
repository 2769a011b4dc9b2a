"""A few beginnings of prompts, for a reviewer to look at: sampled, encrypted, and forgotten after some weeks."""

import heapq
import os
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection

from governance.usage.fingerprint import read_prompt
from governance.usage.models import Excerpt
from governance.usage.wire import UsageEvent

CHARACTERS_KEPT = 1_000
NONCE_BYTES = 12


class Candidate(NamedTuple):
    """An accepted event whose text may be kept."""

    key: uuid.UUID
    account: int
    event: UsageEvent

    @property
    def day(self) -> date:
        return self.event.occurred_at.astimezone(UTC).date()

    def excerpt(self, *, expires_at: datetime) -> Excerpt:
        prompt = read_prompt(self.event.messages, self.event.prompt)
        text = prompt.asked[:CHARACTERS_KEPT] if prompt else ""
        return Excerpt(
            key=self.key,
            account_id=self.account,
            day=self.day,
            occurred_at=self.event.occurred_at,
            model=self.event.model,
            ciphertext=_encrypt(text, account=self.account),
            expires_at=expires_at,
        )


def keep_excerpts(candidates: Iterable[Candidate], *, now: datetime) -> None:
    """Keep the day's sample of every account, whatever was kept of it before. Runs in the caller's transaction."""
    wanted = settings.EXCERPTS_PER_DAY
    by_day: dict[tuple[int, date], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_day[candidate.account, candidate.day].append(candidate)
    if not by_day:
        return
    full = _highest_kept_keys(by_day, wanted)
    chosen = [
        candidate
        for account_day, group in sorted(by_day.items())
        for candidate in heapq.nsmallest(wanted, group, key=lambda one: one.key)
        if account_day not in full or candidate.key < full[account_day]
    ]
    expires_at = now + timedelta(days=settings.EXCERPT_DAYS)
    Excerpt.objects.bulk_create((one.excerpt(expires_at=expires_at) for one in chosen), ignore_conflicts=True)
    _drop_beyond(by_day, wanted)


def decrypted(excerpts: Iterable[Excerpt]) -> Iterator[tuple[Excerpt, str]]:
    """Each excerpt with its text."""
    for excerpt in excerpts:
        sealed = bytes(excerpt.ciphertext)
        text = _cipher(excerpt.account_id).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        yield excerpt, text.decode()


def _encrypt(text: str, *, account: int) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(account).encrypt(nonce, text.encode("utf-8", "replace"), None)


def _cipher(account: int) -> AESGCM:
    key = HKDF(SHA256(), 32, salt=None, info=f"excerpt of account {account}".encode())
    return AESGCM(key.derive(settings.EXCERPT_KEY))


def _highest_kept_keys(days: Iterable[tuple[int, date]], wanted: int) -> dict[tuple[int, date], uuid.UUID]:
    """The largest key that is kept, of those account days whose sample is full."""
    accounts, dates = zip(*days, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id, day, (array_agg(key ORDER BY key))[%s] FROM usage_excerpt
            JOIN unnest(%s::bigint[], %s::date[]) AS wanted (account_id, day) USING (account_id, day)
            GROUP BY account_id, day HAVING count(*) >= %s
            """,
            [wanted, list(accounts), list(dates), wanted],
        )
        return {(account, day): key for account, day, key in cursor.fetchall()}


def _drop_beyond(days: Iterable[tuple[int, date]], wanted: int) -> None:
    accounts, dates = zip(*days, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM usage_excerpt WHERE key IN (
                SELECT key FROM (
                    SELECT key, row_number() OVER (PARTITION BY account_id, day ORDER BY key) AS place
                    FROM usage_excerpt
                    JOIN unnest(%s::bigint[], %s::date[]) AS wanted (account_id, day) USING (account_id, day)
                ) AS ranked WHERE place > %s
            )
            """,
            [list(accounts), list(dates), wanted],
        )
