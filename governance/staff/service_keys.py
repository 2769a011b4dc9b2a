"""Issue, replace, revoke and authenticate the keys of machines."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.notifications import KEYS_CHANNEL, notify_on_commit
from governance.platform.transactions import retried_transaction
from governance.staff.models import ServiceKey
from governance.staff.secret_format import (
    SHOWN_LETTERS,
    iter_stored_digests,
    make_secret,
    pepper_version,
    secret_digest,
    stored_digest,
)

# Every request would be an entry; one an hour and key says as much, and each effect has an entry of its own.
USE_IS_NOTED_EVERY: Final = timedelta(hours=1)
MOST_NETWORKS: Final = 50


class TwoSecretsError(Exception):
    """A key has two secrets at a time, and no third."""

    def __init__(self, key: ServiceKey) -> None:
        super().__init__(f"The previous secret of {key}, {key.previous_prefix}…, still works. End that one first.")


@retried_transaction
def issue_service_key(
    *,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    now: datetime,
    expires_at: datetime | None = None,
    networks: Iterable[str] = (),
) -> tuple[ServiceKey, str]:
    """Create a service key. Return it and its secret, which is shown only this once and stored nowhere.

    Raises ValueError for a scope that does not exist or for none, for a network that is none, and for a name that
    cannot be shown as it is.
    """
    if not name.strip() or not name.isprintable():
        raise ValueError("Use printable characters on one line for the name of a service key.")
    wanted = sorted({ServiceKey.Scope(scope).value for scope in scopes})
    if not wanted:
        raise ValueError("A service key needs at least one scope.")
    allowed = read_networks(networks)
    secret = make_secret()
    key = ServiceKey.objects.create(
        name=name,
        shown_prefix=secret[:SHOWN_LETTERS],
        **_stored(secret),
        scopes=wanted,
        networks=allowed,
        created_at=now,
        created_by=by.name,
        expires_at=expires_at,
    )
    notify_on_commit(KEYS_CHANNEL)
    details = {"scopes": wanted} | ({"allowed_from": allowed} if allowed else {})
    record(Verb.SERVICE_KEY_ISSUED, subject=("service_key", str(key.id)), by=by, now=now, details=details)
    return key, secret


def read_networks(networks: Iterable[str]) -> list[str]:
    """Return address ranges as they are stored. Raises ValueError, saying which is none, or that they are too many."""
    found = []
    for text in networks:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError as error:
            raise ValueError(f"{text.strip()} is no address or network such as 203.0.113.0/24.") from error
    if len(found) > MOST_NETWORKS:
        raise ValueError(f"Name at most {MOST_NETWORKS} networks.")
    return sorted(set(found))


@retried_transaction
def replace_secret(key: ServiceKey, *, keep: timedelta, by: Actor, now: datetime) -> str | None:
    """Give a key a new secret beside the one it has, which works for `keep` longer. Return the new one, which is shown
    only this once, or None where the key does not work any more.

    Raises TwoSecretsError while the secret before that one works too.
    """
    locked = ServiceKey.objects.usable(at=now).select_for_update().filter(pk=key.pk).first()
    if locked is None:
        return None
    if locked.has_two_secrets(at=now):
        raise TwoSecretsError(locked)
    secret, until = make_secret(), now + keep
    ServiceKey.objects.filter(pk=key.pk).update(
        previous_prefix=locked.shown_prefix,
        previous_digest=locked.digest,
        previous_pepper=locked.pepper,
        previous_until=until,
        shown_prefix=secret[:SHOWN_LETTERS],
        **_stored(secret),
    )
    notify_on_commit(KEYS_CHANNEL)
    details = {"until": until.isoformat()}
    record(Verb.SERVICE_KEY_SECRET_REPLACED, subject=_subject(key), by=by, now=now, details=details)
    return secret


@retried_transaction
def end_previous_secret(key: ServiceKey, *, by: Actor, now: datetime) -> bool:
    """Refuse the previous secret from now on. Return False if it did not work any more."""
    if not ServiceKey.objects.filter(pk=key.pk, previous_until__gt=now).update(previous_until=now):
        return False
    notify_on_commit(KEYS_CHANNEL)
    record(Verb.SERVICE_KEY_SECRET_ENDED, subject=_subject(key), by=by, now=now)
    return True


@retried_transaction
def revoke_service_key(key: ServiceKey, *, by: Actor, now: datetime) -> bool:
    """Revoke the key, with both secrets. Return False if it was revoked already."""
    if not ServiceKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        return False
    notify_on_commit(KEYS_CHANNEL)
    record(Verb.SERVICE_KEY_REVOKED, subject=_subject(key), by=by, now=now)
    return True


def _stored(secret: str) -> dict[str, bytes | str]:
    digest = secret_digest(secret)
    peppers: Sequence[str] = settings.SERVICE_KEY_PEPPERS
    if not peppers:
        return {"digest": digest, "pepper": ""}
    return {"digest": stored_digest(digest, peppers[0]), "pepper": pepper_version(peppers[0])}


def _subject(key: ServiceKey) -> tuple[str, str]:
    return ("service_key", str(key.pk))


def find_service_key(digest: bytes, *, now: datetime) -> ServiceKey | None:
    """Return the usable key whose secret has this `secret_digest`, or None."""
    return ServiceKey.objects.shown(list(iter_stored_digests(digest, settings.SERVICE_KEY_PEPPERS)), at=now).first()


def authenticate_service_key(secret: str, *, now: datetime) -> ServiceKey | None:
    """Return the usable key with this secret, or None. Its use is recorded in the log, once an hour."""
    key = find_service_key(secret_digest(secret), now=now)
    if key is not None and (key.last_used_at is None or key.last_used_at <= now - USE_IS_NOTED_EVERY):
        _note_use(key, now=now)
    return key


def note_service_keys_used(keys: Iterable[UUID], *, now: datetime) -> None:
    """Record the use of keys that a process authenticated by itself, each once an hour."""
    for key in ServiceKey.objects.filter(_use_not_noted_lately(now), pk__in=list(keys)).order_by("pk"):
        _note_use(key, now=now)


def _use_not_noted_lately(now: datetime) -> Q:
    return Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)


@retried_transaction
def _note_use(key: ServiceKey, *, now: datetime) -> None:
    if ServiceKey.objects.filter(_use_not_noted_lately(now), pk=key.pk).update(last_used_at=now):
        record(Verb.SERVICE_KEY_USED, subject=_subject(key), by=key.actor, now=now)
