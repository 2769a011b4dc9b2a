"""Change the register of customers, and add to it the accounts and keys seen in usage."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError

from accounts.licensing import ImpossibleLicenceError
from accounts.models import Account, ApiKey, Organisation
from accounts.queries import RegisteredKey, find_account_pks, find_registered_keys, lock_keys
from accounts.register import AccountLine, LineOutcome
from accounts.register_batch import RegisterBatch
from governance.audit.actions import NewEntry, record, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction

# Names that a restriction covers may have come or gone: gateways are to know at once.
NAMES_CHANGED = "governance.tasks.cover_new_names"
# Past so many the task looks at everything: a message to the broker stays small.
MOST_NAMED = 500


class RejectedLine(NamedTuple):
    """A line that was not applied: its place in the batch, counted from 0, and why."""

    place: int
    reason: str


class RegisterResult(NamedTuple):
    """The result of a batch. The first three count lines; `notes` say in words what moved to another owner."""

    created: int
    updated: int
    unchanged: int = 0
    rejected: Sequence[RejectedLine] = ()
    notes: Sequence[str] = ()


def register_accounts(lines: Sequence[AccountLine], *, by: Actor, now: datetime) -> RegisterResult:
    """Make the register say what these lines say, in their order, all in one transaction.

    A member that a line does not have is left as it is. A line that cannot be applied rejects no other.
    """
    try:
        return _register_accounts(lines, by=by, now=now)
    except IntegrityError:
        # Usage made one of these accounts or keys meanwhile: now it is there to be compared with.
        return _register_accounts(lines, by=by, now=now)


@retried_transaction
def _register_accounts(lines: Sequence[AccountLine], *, by: Actor, now: datetime) -> RegisterResult:
    batch = RegisterBatch(lines, now=now)
    rejected: list[RejectedLine] = []
    for place, line in enumerate(lines):
        try:
            batch.apply(line)
        except ImpossibleLicenceError as error:
            rejected.append(RejectedLine(place, str(error)))
    outcomes, new_entries, notes = batch.outcomes, batch.new_entries, batch.notes  # before what is new has its key
    batch.save()
    _announce(
        accounts={one.pk for one in batch.renamed if isinstance(one, Account)},
        organisations={one.pk for one in batch.renamed if isinstance(one, Organisation)},
    )
    counts = {outcome.value: outcomes.count(outcome) for outcome in LineOutcome}
    kept_out = {"kept_out": len(batch.kept_out)} if batch.kept_out else {}
    record_all(new_entries, by=by, now=now)
    record(
        Verb.ACCOUNTS_REGISTERED,
        subject=("register", "accounts"),
        by=by,
        now=now,
        details=counts | {"rejected": len(rejected)} | kept_out,
    )
    return RegisterResult(**counts, rejected=tuple(rejected), notes=tuple(notes))


def _announce(*, accounts: Collection[int] = (), organisations: Collection[int] = ()) -> None:
    """Enqueue an update for gateways, in case a restriction on these covers other names now."""
    if not accounts and not organisations:
        return
    targets = [f"account:{pk}" for pk in sorted(accounts)] + [f"organisation:{pk}" for pk in sorted(organisations)]
    enqueue_on_commit(NAMES_CHANGED, *(targets if len(targets) <= MOST_NAMED else ()))


def _organisations(external_ids: Collection[str]) -> dict[str, int]:
    """Return the primary keys of these organisations by external id. Create those that are missing."""
    Organisation.objects.bulk_create(
        [Organisation(external_id=external_id) for external_id in sorted(external_ids)], ignore_conflicts=True
    )
    return dict(Organisation.objects.filter(external_id__in=external_ids).values_list("external_id", "pk"))


def get_or_create_accounts(
    accounts: Mapping[str, str | None], *, known: Mapping[str, int] | None = None, now: datetime
) -> dict[str, int]:
    """Return the primary keys of accounts seen in usage, by external id. Create those that are missing.

    `accounts` maps each external id to the one of its organisation, if usage names it; `known` are those of them that
    the same transaction has found already.

    Usage says the organisation of an account that it makes known, and of no other: else a sender of usage could put
    a stranger into an organisation that is blocked. Runs in the caller's transaction.
    """
    found = dict(find_account_pks(accounts) if known is None else known)
    new = {name: organisation for name, organisation in accounts.items() if name not in found}
    if not new:
        return found
    organisations = _organisations({name for name in new.values() if name}) if any(new.values()) else {}
    Account.objects.bulk_create(
        [
            Account(
                external_id=name,
                organisation_id=organisations[organisation] if organisation else None,
                first_seen_at=now,
            )
            for name, organisation in sorted(new.items())
        ],
        ignore_conflicts=True,
    )
    _announce(organisations=organisations.values())
    return found | find_account_pks(new)


def get_or_create_keys(
    claims: Collection[tuple[str, int]],
    *,
    ties: bool = False,
    known: Mapping[str, RegisteredKey] | None = None,
    now: datetime,
) -> list[NewEntry]:
    """Create the API keys seen in usage that are missing; `claims` are their names with their account's primary key.

    A key that nobody knew belongs to the account that it is claimed for. With `ties`, for senders that may say whose
    key is whose, one that the register has not tied moves; else the claim contests it, if usage alone has tied it.
    `known` are those of the keys that the same transaction has found already. Return the entries of the log that the
    caller is to record. Runs in the caller's transaction.
    """
    ordered = sorted(claims)
    names = {name for name, _ in ordered}
    stored = dict(find_registered_keys(names) if known is None else known)
    new = {name: account for name, account in reversed(ordered) if name not in stored}
    if new:
        tied_by = ApiKey.TiedBy.SENDER if ties else ApiKey.TiedBy.USAGE
        ApiKey.objects.bulk_create(
            [
                ApiKey(external_id=name, account_id=account, tied_by=tied_by, first_seen_at=now)
                for name, account in sorted(new.items())
            ],
            ignore_conflicts=True,
        )
        _announce(accounts=set(new.values()))
        stored |= find_registered_keys(new)
    if ties:
        return _tie({stored[name]: account for name, account in ordered})
    _contest([(stored[name], account) for name, account in ordered], now=now)
    return []


def _contest(claims: Sequence[tuple[RegisteredKey, int]], *, now: datetime) -> None:
    """Note that usage claims keys for other accounts too, where nothing but usage says whose they are."""
    others = {
        key.pk: account
        for key, account in claims
        if key.tied_by == ApiKey.TiedBy.USAGE and account not in {key.account, key.contested_by}
    }
    if not others:
        return
    keys = ApiKey.objects.select_for_update(no_key=True).filter(pk__in=others, tied_by=ApiKey.TiedBy.USAGE)
    contested = list(keys.order_by("pk"))
    for key in contested:
        key.contested_by_id, key.contested_at = others[key.pk], now
    ApiKey.objects.bulk_update(contested, ["contested_by", "contested_at"], batch_size=1_000)
    _announce(accounts={key.account_id for key in contested})


def _tie(claims: Mapping[RegisteredKey, int]) -> list[NewEntry]:
    """Let keys belong to the accounts that they are claimed for, except those that the register has tied."""
    wanted = {
        key.pk: account
        for key, account in claims.items()
        if key.tied_by == ApiKey.TiedBy.USAGE or (key.tied_by == ApiKey.TiedBy.SENDER and key.account != account)
    }
    if not wanted:
        return []
    keys = lock_keys(ApiKey.objects.exclude(tied_by=ApiKey.TiedBy.REGISTER).filter(pk__in=wanted))
    moved = [key for key in keys if key.account_id != wanted[key.pk]]
    names = dict(Account.objects.filter(pk__in={wanted[key.pk] for key in moved}).values_list("pk", "external_id"))
    new_entries = [
        NewEntry(
            Verb.KEY_MOVED,
            ("key", key.external_id),
            {"from": key.account.external_id, "to": names[wanted[key.pk]], "contested": key.contested_at is not None},
        )
        for key in moved
    ]
    freed = [key for key in keys if key.contested_at is not None]
    _announce(accounts={pk for key in {*moved, *freed} for pk in (key.account_id, wanted[key.pk])})
    for key in keys:
        key.account_id, key.tied_by = wanted[key.pk], ApiKey.TiedBy.SENDER
        key.contested_by_id = key.contested_at = None
    ApiKey.objects.bulk_update(keys, ["account", "tied_by", "contested_by", "contested_at"], batch_size=1_000)
    return new_entries
