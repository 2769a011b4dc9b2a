"""Block or unblock one name at LiteLLM, as it should be. Idempotent."""

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.models import ApiKey
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.gateways.litellm.admin_api import (
    HASH,
    LiteLlm,
    LiteLlmError,
    LiteLlmKey,
    LiteLlmObject,
    UnknownNameError,
    UnreachableError,
)
from governance.gateways.models import DriftRepair, Gateway, LiteLlmPush
from stillwatch_gateway.naming import LITELLMS_OWN
from stillwatch_gateway.normalization import is_nothing

logger = logging.getLogger(__name__)

PUSHER: Final = Actor.system("litellm push")
# One name may be slow for its own reasons; after so many in a row it is LiteLLM that does not answer.
MOST_SILENCES: Final = 3


@dataclass(slots=True)
class SyncResult:
    """What a push or a comparison came to. Names are LiteLLM's with their kind, but for `unknown`: those are ours."""

    blocked: list[str] = field(default_factory=list)
    unblocked: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class LiteLlmSync:
    """One go at a gateway's LiteLLM. While `is_reconciling`, whatever has to be changed is noted as a repair.

    What an operator blocked there is left alone: it was blocked before we would have, and so has
    no row in `LiteLlmPush`.
    """

    client: LiteLlm
    gateway: Gateway
    done: SyncResult
    now: datetime
    is_reconciling: bool = False
    _silences: int = 0

    def sync_name(self, name: str, *, denied: bool) -> None:
        """Raises UnreachableError once it is plain that LiteLLM does not answer; other failures are noted in `done`."""
        with self._contained(name):
            if denied:
                self._block(name)
            else:
                self._let_go(name)

    def _block(self, name: str) -> None:
        things = self._things_of(name)
        if not things:
            self.done.unknown.append(name)
            logger.info("LiteLLM of %s knows no %s: nothing to block there.", self.gateway, name)
        for thing, blocked in things:
            with self._contained(str(thing)):
                rows = LiteLlmPush.objects.filter(gateway=self.gateway, kind=thing.kind, name=thing.name)
                if blocked and not rows.exists():
                    continue
                row, made = rows.get_or_create(
                    because=name,
                    defaults={"gateway": self.gateway, "kind": thing.kind, "name": thing.name, "blocked_at": self.now},
                )
                if blocked:
                    continue
                try:
                    self._set(thing, blocked=True)
                except UnreachableError:
                    raise
                except LiteLlmError:
                    # It was not done: a block found from now on was made by others.
                    if made:
                        row.delete()
                    raise
        self._let_go_moved(name, things)

    def _let_go_moved(self, name: str, things: Collection[tuple[LiteLlmObject, bool]]) -> None:
        """Unblock keys that were blocked for this name and do not stand for it any more: they changed hands.

        What LiteLLM says it does not know is left alone, since it says so when its database fails as well.
        """
        kind, _, ours = name.partition(" ")
        hashes = key_hashes(key=ours) if kind == "key" else key_hashes(account=ours)
        rows = LiteLlmPush.objects.filter(gateway=self.gateway, because=name, kind=LiteLlmPush.Kind.KEY)
        self._release(rows.exclude(name__in=hashes | {thing.name for thing, _ in things}))

    def _let_go(self, name: str) -> None:
        self._release(LiteLlmPush.objects.filter(gateway=self.gateway, because=name))

    def _release(self, rows: Iterable[LiteLlmPush]) -> None:
        for row in rows:
            thing = LiteLlmObject(LiteLlmPush.Kind(row.kind), row.name)
            with self._contained(str(thing)):
                others = LiteLlmPush.objects.filter(gateway=self.gateway, kind=row.kind, name=row.name).exclude(
                    pk=row.pk
                )
                if not others.exists():
                    self._unblock(thing)
                row.delete()

    def _unblock(self, thing: LiteLlmObject) -> None:
        try:
            blocked = self.client.is_blocked(thing)
        except UnknownNameError:
            # LiteLLM says so of a team as well when its database fails (/team/info): changing it is the proof.
            blocked = True
        if blocked:
            try:
                self._set(thing, blocked=False)
            except UnknownNameError:
                logger.info("LiteLLM of %s has no %s any more: nothing to unblock.", self.gateway, thing)

    def _things_of(self, name: str) -> list[tuple[LiteLlmObject, bool]]:
        """What stands for this name at LiteLLM, and whether it is blocked: as docs/litellm.md says who is who."""
        kind, _, ours = name.partition(" ")
        if kind == "key":
            return [
                (LiteLlmObject(LiteLlmPush.Kind.KEY, key.name), key.blocked) for key in self._keys(key_hashes(key=ours))
            ]
        if ours in LITELLMS_OWN:
            return []  # LiteLLM's own, such as the team of those who sign in to its pages
        try:
            return [(LiteLlmObject(LiteLlmPush.Kind.TEAM, ours), self.client.is_team_blocked(ours))]
        except UnknownNameError:
            pass
        keys = {key.name: key for key in self.client.keys_of_user(ours)}
        keys |= {key.name: key for key in self._keys(sorted(key_hashes(account=ours) - keys.keys()))}
        return [
            (LiteLlmObject(LiteLlmPush.Kind.KEY, key.name), key.blocked)
            for key in keys.values()
            if not key.team and (is_nothing(key.user) or key.user in LITELLMS_OWN or key.user == ours)
        ]

    def _keys(self, hashes: Iterable[str]) -> Iterator[LiteLlmKey]:
        for name in hashes:
            try:
                yield self.client.key(name)
            except UnknownNameError:
                continue

    def _set(self, thing: LiteLlmObject, *, blocked: bool) -> None:
        try:
            self.client.set_blocked(thing, blocked=blocked)
        except UnknownNameError:
            raise
        except LiteLlmError as error:
            self._note_repair(thing, blocked=blocked, trouble=str(error))
            raise
        self._note_repair(thing, blocked=blocked)
        (self.done.blocked if blocked else self.done.unblocked).append(str(thing))

    def _note_repair(self, thing: LiteLlmObject, *, blocked: bool, trouble: str = "") -> None:
        if not self.is_reconciling:
            return
        details = {"name": str(thing), "blocked": blocked, "mended": not trouble, "trouble": trouble}
        with transaction.atomic():
            DriftRepair.objects.create(
                gateway=self.gateway,
                at=self.now,
                name=str(thing)[:200],
                blocked=blocked,
                mended=not trouble,
                detail=trouble[:300],
            )
            record(
                Verb.GATEWAY_REPAIRED, subject=("gateway", self.gateway.name), by=PUSHER, now=self.now, details=details
            )

    @contextmanager
    def _contained(self, name: str) -> Iterator[None]:
        """One that fails takes no other along, and keeps the push from counting as done."""
        failed = len(self.done.failed)
        try:
            yield
            if len(self.done.failed) == failed:
                self._silences = 0
        except LiteLlmError as error:
            self.done.failed[name] = str(error)
            logger.warning("LiteLLM of %s did not settle %s: %s", self.gateway, name, error)
            self._silences = self._silences + 1 if isinstance(error, UnreachableError) else 0
            if self._silences >= MOST_SILENCES:
                raise


def key_hashes(*, account: str | None = None, key: str | None = None) -> set[str]:
    """By which LiteLLM may know a key of ours, or all of an account: it names keys by the hash of their secret."""
    of_account = ApiKey.objects.filter(account__external_id=account, contested_at=None)
    found = ApiKey.objects.filter(external_id=key) if key else of_account
    names = {account} if account else set()
    for external_id, digest in found.values_list("external_id", "digest"):
        names.add(external_id if HASH.fullmatch(external_id) or not digest else bytes(digest).hex())
    return {name for name in names if HASH.fullmatch(name)}
