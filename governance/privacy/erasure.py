"""Erase what is held of a person: of the holder of an account, or of an organisation with all its accounts.

What gateways need to refuse an account stays, and so do links and assessments, between pseudonyms. The audit log stays
as it is: it names accounts by the seller's ids.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Account, Organisation
from accounts.pseudonyms import card_pseudonym, pseudonym
from governance.audit.actions import NewEntry, record, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.privacy.holds import Target, cover_held_accounts, hold_lock
from governance.privacy.models import ErasedAccount, Erasure, HeldAccount, LegalHold
from governance.privacy.texts import SHORTEST_QUOTED, replace_quotations, typed_about, without

CONTINUE: Final = "governance.tasks.continue_erasures"
ACCOUNTS_AT_ONCE: Final = 50
EVENTS_AT_ONCE: Final = 2_000

_CLEAR_EVENTS: Final = """
    UPDATE usage_usageevent SET ip = NULL, user_agent = NULL, end_user = NULL, conversation = NULL
    WHERE day >= %(first)s AND day < %(end)s AND key IN (
        SELECT key FROM usage_usageevent
        WHERE day >= %(first)s AND day < %(end)s AND account_id = ANY(%(accounts)s)
          AND num_nonnulls(ip, user_agent, end_user, conversation) > 0
        LIMIT %(most)s
    )
"""

# Does a portion of the work, and returns whether something may be left.
Step: TypeAlias = Callable[[Erasure], bool]


class HeldError(Exception):
    """A legal hold forbids the erasure."""

    def __init__(self, holds: Sequence[LegalHold]) -> None:
        self.holds = holds
        super().__init__("A legal hold keeps what there is: lift it first.")


def holds_against(target: Target) -> list[LegalHold]:
    """Return the legal holds that forbid an erasure: on the target itself, and on what covers one of its accounts."""
    covering = Q(accounts__account__in=accounts_of(target).values("pk"))
    if target.organisation is not None:
        covering |= Q(organisation=target.organisation)
    found = LegalHold.objects.in_force().filter(covering).select_related("account", "organisation")
    return list(found.distinct().order_by("-set_at", "pk"))


def accounts_of(target: Target) -> "QuerySet[Account]":
    """Return the account, or the accounts of the organisation. Nothing of a campaign: it is no person."""
    if target.account is not None:
        return Account.objects.filter(pk=target.account.pk)
    return Account.objects.filter(organisation=target.organisation).exclude(organisation=None)


@retried_transaction
def start_erasure(target: Target, *, reason: str, by: Actor, now: datetime) -> Erasure:
    """Make excerpts unreadable and the register forget, now; a worker clears usage and further accounts.

    Raises HeldError where a legal hold forbids it.
    """
    hold_lock(shared=True)
    cover_held_accounts(now=now)
    if holds := holds_against(target):
        raise HeldError(holds)
    erasure = Erasure.objects.create(
        account=target.account, organisation=target.organisation, reason=reason, erased_at=now, erased_by=str(by)
    )
    number = _fix_accounts(erasure, target)
    accounts = _accounts_of(erasure)
    # For all accounts at once: from here on no key is made again, and the register brings nothing back.
    accounts.filter(erased_at=None).update(erased_at=now)
    accounts.update(erased_on_request=True)
    _delete("usage.DataKey", accounts.values("pk"))
    if target.organisation is not None:
        _rename_organisation(target.organisation, now=now)
    _erase_some(erasure)
    enqueue_on_commit(CONTINUE)
    details = {"because": "request", "accounts": number, "erasure": str(erasure.pk), "reason": reason}
    record(Verb.PERSON_ERASED, subject=(target.kind, target.name), by=by, now=now, details=details)
    return erasure


def continue_erasures(*, now: datetime) -> int:
    """Go on with erasures until nothing is left of them, a portion in each transaction. Return how many ended."""
    cover_held_accounts(now=now)
    clearing = [partial(_clear_events, first=first, end=end) for first, end in _days(now)]
    steps: list[Step] = [_erase_some, *clearing, partial(_finish, now=now)]
    unfinished = Erasure.objects.filter(finished_at=None).order_by("erased_at", "pk")
    return sum(all(_repeat(pk, step) for step in steps) for pk in unfinished.values_list("pk", flat=True))


def _days(now: datetime) -> Iterator[tuple[date, date]]:
    """The days of which there may be usage, one by one: a day is a table, which is soon looked through."""
    today = now.astimezone(UTC).date()
    oldest = today - timedelta(days=settings.EVENT_DAYS + 1)
    yield date.min, oldest
    for offset in range(settings.EVENT_DAYS + 1):
        yield oldest + timedelta(days=offset), oldest + timedelta(days=offset + 1)
    yield today, date.max


def _repeat(pk: uuid.UUID, step: Step) -> bool:
    """Take a step until nothing is left of it. Return False if a hold, or another worker, keeps it from going on."""
    while left := _take(pk, step):
        pass
    return left is not None


@retried_transaction
def _take(pk: uuid.UUID, step: Step) -> bool | None:
    hold_lock(shared=True)
    locked = Erasure.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk, finished_at=None).first()
    if locked is None or HeldAccount.objects.filter(account__in=_accounts_of(locked).values("pk")).exists():
        return None
    return step(locked)


def _finish(erasure: Erasure, *, now: datetime) -> bool:
    for label in ("usage.DataKey", "usage.Excerpt"):  # of usage that arrived while it was erased
        _delete(label, _accounts_of(erasure).values("pk"))
    erasure.finished_at = now
    erasure.save(update_fields=["finished_at"])
    details, by = {"erasure": str(erasure.pk)}, Actor.system("erasure")
    record(Verb.PERSON_ERASURE_FINISHED, subject=erasure.target, by=by, now=now, details=details)
    return False


@retried_transaction
def pseudonymize_account_batch(accounts: "QuerySet[Account]", *, now: datetime) -> int:
    """Erase what the register and staff said of the first of these accounts, whose time is over. Return how many they
    were: call it until none are left.
    """
    hold_lock(shared=True)
    some = list(accounts.order_by("pk")[:ACCOUNTS_AT_ONCE])
    if not some:
        return 0
    _erase_accounts([account.pk for account in some])
    Account.objects.filter(pk__in=[account.pk for account in some]).update(erased_at=now)
    details = {"because": "retention", "accounts": 1}
    new_entries = [NewEntry(Verb.PERSON_ERASED, ("account", one.external_id), details) for one in some]
    record_all(new_entries, by=Actor.system("retention"), now=now)
    return len(some)


def _fix_accounts(erasure: Erasure, target: Target) -> int:
    """Note which accounts the erasure is about. Return how many: one that joins the organisation later is not."""
    pks = accounts_of(target).order_by("pk").values_list("pk", flat=True)
    return len(ErasedAccount.objects.bulk_create(ErasedAccount(erasure=erasure, account_id=pk) for pk in pks))


def _accounts_of(erasure: Erasure) -> "QuerySet[Account]":
    """Those that it was about from the start, though they may belong to another organisation by now."""
    return Account.objects.filter(pk__in=erasure.accounts.values("account"))


def _erase_some(erasure: Erasure) -> bool:
    """Erase the next accounts, but for their usage. Return whether there were any."""
    accounts = _accounts_of(erasure).filter(pk__gt=erasure.done_up_to).order_by("pk")
    pks = list(accounts.values_list("pk", flat=True)[:ACCOUNTS_AT_ONCE])
    if pks:
        _erase_accounts(pks)
        erasure.done_up_to = pks[-1]
        erasure.save(update_fields=["done_up_to"])
    return bool(pks)


def _erase_accounts(pks: Sequence[int]) -> None:
    """Erase what is held of these accounts, but for their usage events."""
    accounts = list(Account.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=pks).order_by("pk"))
    values = {value for one in accounts for value in _known_of(one)}
    for one in accounts:
        one.email_domain = pseudonym(one.email_domain, key=settings.FINGERPRINT_KEY)
        one.payment_fingerprint = card_pseudonym(one.payment_fingerprint)
        one.signup_ip, one.declared_use = None, ""
    changed = ["email_domain", "payment_fingerprint", "signup_ip", "declared_use"]
    Account.objects.bulk_update(accounts, changed, batch_size=ACCOUNTS_AT_ONCE)
    for typed in typed_about(pks):
        typed.replace()
    replace_quotations(pks, values)
    _clean_assessments(pks, values)
    for label in ("usage.DataKey", "usage.Excerpt", "usage.HeldEvent"):
        _delete(label, pks)


def _known_of(account: Account) -> list[str]:
    """What the register says of a person, as it may be quoted."""
    known = (account.email_domain, account.payment_fingerprint, account.signup_ip, account.declared_use)
    return [value for value in known if value and len(value) >= SHORTEST_QUOTED]


def _clean_assessments(pks: Sequence[int], values: Collection[str]) -> None:
    if not values:
        return
    quoted = sorted(values, key=len, reverse=True)
    manager = apps.get_model("detection", "Assessment")._default_manager
    changed: list[Any] = []
    for one in manager.filter(account__in=list(pks)).only("pk", "findings", "harmless").order_by("pk").iterator():
        findings, harmless = without(one.findings, quoted), without(one.harmless, quoted)
        if (findings, harmless) != (one.findings, one.harmless):
            one.findings, one.harmless = findings, harmless
            changed.append(one)
    manager.bulk_update(changed, ["findings", "harmless"], batch_size=200)


def _clear_events(erasure: Erasure, *, first: date, end: date) -> bool:
    """Clear some usage events of these days. Return whether there were any."""
    pks = list(_accounts_of(erasure).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR_EVENTS, {"accounts": pks, "first": first, "end": end, "most": EVENTS_AT_ONCE})
        return bool(cursor.rowcount)


def _rename_organisation(organisation: Organisation, *, now: datetime) -> None:
    locked = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    replace_quotations(list(locked.accounts.values_list("pk", flat=True)), [locked.name] if locked.name else [])
    locked.name = pseudonym(locked.name, key=settings.FINGERPRINT_KEY)
    locked.erased_at = locked.erased_at or now
    locked.save(update_fields=["name", "erased_at"])


def _delete(label: str, account_pks: Any) -> None:
    apps.get_model(label)._default_manager.filter(account__in=account_pks).delete()
