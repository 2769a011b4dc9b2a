"""Adding partners, their tokens and keys, and revoking them."""

import secrets
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Q

from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.encryption import DecryptionError, encrypt_secret
from governance.platform.transactions import retried_transaction
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.keys import encrypt_newest_keys, shared_keys
from governance.sharing.matching import match_indicators
from governance.sharing.models import Partner, Tlp
from governance.staff.secret_format import secret_digest

TOKEN_PREFIX: Final = "swt_"  # noqa: S105 - how a token begins
USE_IS_NOTED_EVERY: Final = timedelta(hours=1)


class PartnerChangeError(Exception):
    """The partner cannot be added or changed like this. The message says why."""


class PartnerSecrets(NamedTuple):
    """What is shown once: the token a partner shows here, and the key for digests. What stays as it was is empty."""

    partner: Partner
    token: str
    key: SharedKey | None


class Source(NamedTuple):
    """Where the indicators of a partner are read: the address of a TAXII collection, and what is shown there."""

    url: str = ""
    token: str = ""


NO_SOURCE: Final = Source()


@retried_transaction
def add_partner(
    name: str,
    *,
    receives: bool,
    sends: bool,
    tlp: Tlp,
    by: Actor,
    now: datetime,
    key: SharedKey | None = None,
    expires_at: datetime | None = None,
    source: Source = NO_SOURCE,
) -> PartnerSecrets:
    """Add a partner with a token and a shared key: theirs, if they have made one. Raises PartnerChangeError."""
    audit_log_lock()
    if Partner.objects.filter(name=name).exists():
        raise PartnerChangeError("There is a partner of this name already.")
    token, key = _new_token(), key or SharedKey.new(1)
    partner = Partner.objects.create(
        name=name,
        receives=receives,
        sends=sends,
        tlp=tlp,
        shown_prefix=token[:10],
        token_digest=secret_digest(token),
        shared_keys=encrypt_newest_keys([key]),
        collection_url=source.url,
        collection_token=encrypt_secret(source.token) if source.token else b"",
        created_at=now,
        created_by=str(by),
        expires_at=expires_at,
    )
    details = {"receives": receives, "sends": sends, "tlp": tlp.value}
    record(Verb.PARTNER_ADDED, subject=_subject(partner), by=by, now=now, details=details)
    return PartnerSecrets(partner, token, key)


@retried_transaction
def replace_token(partner: Partner, *, by: Actor, now: datetime) -> PartnerSecrets:
    """Return a new token; the one before is refused at once. Raises PartnerChangeError, DecryptionError."""
    locked, token = _lock(partner), _new_token()
    locked.shown_prefix, locked.token_digest = token[:10], secret_digest(token)
    locked.save(update_fields=["shown_prefix", "token_digest"])
    record(Verb.PARTNER_TOKEN_REPLACED, subject=_subject(locked), by=by, now=now)
    return PartnerSecrets(locked, token, shared_keys(locked)[0])


@retried_transaction
def change_key(partner: Partner, *, by: Actor, now: datetime, key: SharedKey | None = None) -> PartnerSecrets:
    """Digest with a new key from now on: theirs, where they have made one. Older digests are still understood.

    Raises PartnerChangeError where the version was used already.
    """
    locked = _lock(partner)
    try:
        before = shared_keys(locked)
    except DecryptionError:
        before = []
    newest = max((one.version for one in before), default=0)
    key = key or SharedKey.new(newest + 1)
    if key.version <= newest:
        raise PartnerChangeError(f"The version of a new key is higher than {newest}, that of the one before.")
    locked.shared_keys = encrypt_newest_keys([key, *before])
    locked.save(update_fields=["shared_keys"])
    match_indicators(now=now)
    record(Verb.PARTNER_KEY_CHANGED, subject=_subject(locked), by=by, now=now, details={"version": key.version})
    return PartnerSecrets(locked, "", key)


@retried_transaction
def revoke_partner(partner: Partner, *, by: Actor, now: datetime) -> bool:
    """Refuse its token from now on, and let its indicators count no more. Return False if it was revoked already."""
    if not Partner.objects.filter(pk=partner.pk, revoked_at=None).update(revoked_at=now):
        return False
    match_indicators(now=now)
    record(Verb.PARTNER_REVOKED, subject=_subject(partner), by=by, now=now)
    return True


def authenticate_partner(token: str, *, now: datetime) -> Partner | None:
    """Return the usable partner with this token that may read, or None. Its use is recorded once an hour."""
    readers = Partner.objects.usable(at=now).filter(receives=True)
    partner = readers.filter(token_digest=secret_digest(token)).first()
    if partner is not None and (partner.last_used_at is None or partner.last_used_at <= now - USE_IS_NOTED_EVERY):
        _note_use(partner, now=now)
    return partner


@retried_transaction
def _note_use(partner: Partner, *, now: datetime) -> None:
    long_ago = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
    if Partner.objects.filter(long_ago, pk=partner.pk).update(last_used_at=now):
        by = Actor("partner", str(partner.pk), partner.name)
        record(Verb.PARTNER_TOKEN_USED, subject=_subject(partner), by=by, now=now)


def _lock(partner: Partner) -> Partner:
    locked = Partner.objects.select_for_update().get(pk=partner.pk)
    if locked.revoked_at is not None:
        raise PartnerChangeError("This partner was revoked: add it again under another name.")
    return locked


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def _subject(partner: Partner) -> tuple[str, str]:
    return "partner", str(partner.pk)
