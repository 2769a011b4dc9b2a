"""The target of a lost restriction and the names that gateways know it by: found in the register, or made again.

Nothing is taken from another customer: a name that the register has for another customer is left to it.
"""

from datetime import datetime
from typing import Final

from django.db.models import Q

from accounts.actions import get_or_create_accounts
from accounts.models import Account, ApiKey, Organisation
from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.restrictions.models import LostName
from governance.restrictions.names import TARGET_COLUMNS, Target, target_reference
from governance.restrictions.payloads import Payload, payload_names

NAMED_IN_PROBLEM: Final = 5


def find_target(payload: Payload, *, now: datetime) -> Target | None:
    """Return the target of the payload; create an account or an organisation that the register lost."""
    kind = str(payload.get("against", ""))
    if not (names := payload_names(payload, kind)):
        return None
    if kind == "key":
        return ApiKey.objects.filter(external_id=names[0]).select_related("account").first()
    if kind == "organisation":
        return Organisation.objects.get_or_create(external_id=names[0])[0]
    if kind == "account":
        return Account.objects.get(pk=get_or_create_accounts({names[0]: None}, now=now)[names[0]])
    return None


def restore_names(target: Target, payload: Payload, *, may_move: bool, by: Actor, now: datetime) -> str:
    """Let restrictions on the target cover the names in the payload that the register lost, with an audit entry.

    With `may_move`, for what Stillwatch itself knew, an account that is in no organisation is put into the one it was
    in. Return a sentence about names that the register has for another customer; blank where there are none.
    """
    restored: list[str] = []
    left: list[str] = []
    if isinstance(target, Organisation):
        restored, left = _restore_accounts(target, payload_names(payload, "account"), may_move=may_move, now=now)
    keys, digests = payload_names(payload, "key"), payload_names(payload, "digest")
    owned, foreign = _known_keys(target, keys, digests) if keys or digests else (set(), set())
    unchanged_names = [*dict.fromkeys([("key", name) for name in keys] + [("digest", name) for name in digests])]
    left += [f"{kind} {name}" for kind, name in unchanged_names if f"{kind} {name}" in foreign]
    known_keys = owned | foreign
    new = [(kind, name) for kind, name in unchanged_names if f"{kind} {name}" not in known_keys]
    if new:
        column = TARGET_COLUMNS[type(target)]
        there = {(one.kind, one.name) for one in LostName.objects.filter(**{column: target})}
        new = [one for one in new if one not in there]
        LostName.objects.bulk_create(
            LostName(**{column: target}, kind=kind, name=name, restored_at=now) for kind, name in new
        )
    restored += [f"{kind} {name}" for kind, name in new]
    if restored:
        details = {"restored": restored, "left_to_others": left}
        record_all([NewEntry(Verb.LOST_NAMES_RESTORED, target_reference(target), details)], by=by, now=now)
    return _problem(left)


def _restore_accounts(
    organisation: Organisation, names: list[str], *, may_move: bool, now: datetime
) -> tuple[list[str], list[str]]:
    """Return the accounts that were made or moved, and those of other customers."""
    stored = {one.external_id: one for one in Account.objects.filter(external_id__in=names)}
    missing = [name for name in dict.fromkeys(names) if name not in stored]
    if missing:
        get_or_create_accounts(dict.fromkeys(missing, organisation.external_id), now=now)
    foreign = [one for one in stored.values() if one.organisation_id != organisation.pk]
    moved = [one for one in foreign if may_move and one.organisation_id is None and not one.has_no_organisation]
    Account.objects.filter(pk__in=[one.pk for one in moved]).update(organisation=organisation)
    restored = missing + [one.external_id for one in moved]
    left = [one.external_id for one in foreign if one not in moved]
    return [f"account {name}" for name in sorted(restored)], [f"account {name}" for name in sorted(left)]


def _known_keys(target: Target, keys: list[str], digests: list[str]) -> tuple[set[str], set[str]]:
    """Of these names those that the target's keys in the register have, and those of keys of others."""
    owned, foreign = set(), set()
    wanted = Q(external_id__in=keys) | Q(digest__in=[bytes.fromhex(digest) for digest in digests])
    for key in ApiKey.objects.filter(wanted).select_related("account"):
        names = {f"key {key.external_id}"} | ({f"digest {bytes(key.digest).hex()}"} if key.digest else set())
        if not _is_of(key, target):
            foreign |= names
        elif key.contested_at is None or key == target:  # else no restriction on its account covers it
            owned |= names
    return owned, foreign


def _is_of(key: ApiKey, target: Target) -> bool:
    if isinstance(target, ApiKey):
        return key == target
    return target.pk == (key.account.organisation_id if isinstance(target, Organisation) else key.account_id)


def _problem(left: list[str]) -> str:
    if not left:
        return ""
    more = f" and {len(left) - NAMED_IN_PROBLEM:,} more" if len(left) > NAMED_IN_PROBLEM else ""
    return f"It does not cover {', '.join(left[:NAMED_IN_PROBLEM])}{more}, which the register has for another customer."
