"""A few beginnings of prompts, for a reviewer to look at: sampled, encrypted, and forgotten after some weeks.

Encryption is by envelope: every account has a random data key, which is encrypted with the installation's key. So the
installation's key can be changed by encrypting the data keys again. Without its data key an account's excerpts are
unreadable.
"""

import heapq
import os
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account
from governance.usage.models import DataKey, Excerpt
from governance.usage.prompts import read_prompt
from governance.usage.wire import UsageEvent

CHARACTERS_KEPT = 1_000
NONCE_BYTES = 12
KEY_BYTES = 32
MAX_CACHED_THRESHOLDS = 500_000


class ExcerptCandidate(NamedTuple):
    """An accepted event whose text may be kept; `key` is that of the event, in hexadecimal."""

    key: str
    account: int
    event: UsageEvent

    @property
    def day(self) -> date:
        return self.event.occurred_at.astimezone(UTC).date()

    def excerpt(self, cipher: AESGCM, *, expires_at: datetime) -> Excerpt:
        prompt = read_prompt(self.event.messages, self.event.prompt)
        nonce = os.urandom(NONCE_BYTES)
        text = prompt.asked[:CHARACTERS_KEPT].encode() if prompt else b""
        return Excerpt(
            key=uuid.UUID(self.key),
            account_id=self.account,
            day=self.day,
            occurred_at=self.event.occurred_at,
            model=self.event.model,
            ciphertext=nonce + cipher.encrypt(nonce, text, None),
            expires_at=expires_at,
        )


class _Thresholds:
    """Of account days whose sample is full, the highest key kept. Emptied every hour.

    It only falls, so what is remembered may let through too much, which the database then sorts out, but not too
    little: except after a failover or a restore, and then for no longer than the hour.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[int, date], str] = {}
        self._hour: datetime | None = None

    def is_below(self, candidate: ExcerptCandidate, *, now: datetime) -> bool:
        """Whether the candidate may belong to the sample, as far as is known here."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._keys, self._hour = {}, hour
        highest = self._keys.get((candidate.account, candidate.day))
        return highest is None or candidate.key < highest

    def add(self, keys: dict[tuple[int, date], str]) -> None:
        if len(self._keys) + len(keys) > MAX_CACHED_THRESHOLDS:
            self._keys = {}
        self._keys.update(keys)

    def clear(self) -> None:
        self._keys = {}


_thresholds: Final = _Thresholds()


def reset_excerpt_thresholds() -> None:
    _thresholds.clear()


def keep_excerpts(candidates: Iterable[ExcerptCandidate], *, now: datetime) -> None:
    """Keep the day's sample of every account, whatever was kept of it before. Runs in the caller's transaction."""
    wanted = settings.EXCERPTS_PER_DAY
    by_day: dict[tuple[int, date], list[ExcerptCandidate]] = defaultdict(list)
    for candidate in candidates:
        if _thresholds.is_below(candidate, now=now):
            by_day[candidate.account, candidate.day].append(candidate)
    if not by_day:
        return
    full = _highest_kept_keys(by_day, wanted)
    chosen = [
        candidate
        for place, group in sorted(by_day.items())
        for candidate in heapq.nsmallest(wanted, group, key=lambda one: one.key)
        if place not in full or candidate.key < full[place]
    ]
    ciphers = _ciphers({candidate.account for candidate in chosen}, now=now)
    chosen = [candidate for candidate in chosen if candidate.account in ciphers]
    expires_at = now + timedelta(days=settings.EXCERPT_DAYS)
    Excerpt.objects.bulk_create(
        (one.excerpt(ciphers[one.account], expires_at=expires_at) for one in chosen), ignore_conflicts=True
    )
    _drop_beyond({(one.account, one.day) for one in chosen}, wanted)
    transaction.on_commit(lambda: _thresholds.add(full))


def decrypt_excerpts(excerpts: Iterable[Excerpt]) -> Iterator[tuple[Excerpt, str]]:
    """Each excerpt with its text; those whose data key is gone are passed over."""
    excerpts = list(excerpts)
    keys = DataKey.objects.in_bulk({excerpt.account_id for excerpt in excerpts})
    for excerpt in excerpts:
        if excerpt.account_id not in keys:
            continue
        sealed, cipher = bytes(excerpt.ciphertext), AESGCM(decrypt_key(keys[excerpt.account_id]))
        yield excerpt, cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()


def encrypt_key(key: bytes) -> bytes:
    """The data key under the newest key of the installation (RFC 3394)."""
    return aes_key_wrap(_wrapping_key(settings.EXCERPT_KEYS[0]), key)


def decrypt_key(data_key: DataKey) -> bytes:
    """The data key itself. Raises InvalidUnwrap where no key of the installation fits."""
    sealed = bytes(data_key.encrypted_key)
    for key in settings.EXCERPT_KEYS[:-1]:
        try:
            return aes_key_unwrap(_wrapping_key(key), sealed)
        except InvalidUnwrap:
            continue
    return aes_key_unwrap(_wrapping_key(settings.EXCERPT_KEYS[-1]), sealed)


def _wrapping_key(key: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"stillwatch data keys").derive(key)


def _ciphers(accounts: Collection[int], *, now: datetime) -> dict[int, AESGCM]:
    """What encrypts each account's excerpts; data keys that are missing are made, but not of what was erased."""
    keys = DataKey.objects.in_bulk(accounts)
    if missing := set(accounts) - keys.keys():
        new = sorted(Account.objects.filter(pk__in=missing, erased_at=None).values_list("pk", flat=True))
        DataKey.objects.bulk_create(
            [DataKey(account_id=one, encrypted_key=encrypt_key(os.urandom(KEY_BYTES)), created_at=now) for one in new],
            ignore_conflicts=True,
        )
        keys |= DataKey.objects.in_bulk(new)
    return {account: AESGCM(decrypt_key(key)) for account, key in keys.items()}


def _highest_kept_keys(days: Collection[tuple[int, date]], wanted: int) -> dict[tuple[int, date], str]:
    """The largest key that is kept, in hexadecimal, of those account days whose sample is full."""
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
        return {(account, day): key.hex for account, day, key in cursor.fetchall()}


def _drop_beyond(days: Collection[tuple[int, date]], wanted: int) -> None:
    if not days:
        return
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
