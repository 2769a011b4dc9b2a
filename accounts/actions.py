"""Keeping the register of customers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from accounts import known
from accounts.licensing import ImpossibleLicenceError
from accounts.models import Account, ApiKey, Organisation
from accounts.register import AccountLine
from accounts.register_batch import LineOutcome, RegisterBatch
from governance.audit.actions import record, record_all
from governance.audit.actor import Actor
from governance.doorbell import ring
from governance.transactions import retried_transaction

# Names that a restriction covers may have come or gone: gateways are to know at once.
NAMES_CHANGED = "governance.tasks.cover_new_names"
# Past so many the task looks at everything: a message to the broker stays small.
MOST_NAMED = 500


class Rejected(NamedTuple):
    """A line that was not applied: its place in the batch, counted from 0, and why."""

    place: int
    reason: str


class Registered(NamedTuple):
    """What a batch of the register came to. The first three count lines; `notes` say in words what changed hands."""

    created: int
    updated: int
    unchanged: int = 0
    rejected: Sequence[Rejected] = ()
    notes: Sequence[str] = ()


def register_accounts(lines: Sequence[AccountLine], *, by: Actor, now: datetime) -> Registered:
    """Make the register say what these lines say, in their order, all in one transaction.

    A member that a line does not have is left as it is. A line that cannot be applied rejects no other.
    """
    try:
        return _register_accounts(lines, by=by, now=now)
    except IntegrityError:
        # Usage made one of these accounts or keys meanwhile: now it is there to be compared with.
        return _register_accounts(lines, by=by, now=now)


@retried_transaction
def _register_accounts(lines: Sequence[AccountLine], *, by: Actor, now: datetime) -> Registered:
    batch = RegisterBatch(lines, now=now)
    outcomes: list[LineOutcome] = []
    rejected: list[Rejected] = []
    for place, line in enumerate(lines):
        try:
            outcomes.append(batch.apply(line))
        except ImpossibleLicenceError as error:
            rejected.append(Rejected(place, str(error)))
    batch.save()
    _announce(
        accounts={one.pk for one in batch.renamed if isinstance(one, Account)},
        organisations={one.pk for one in batch.renamed if isinstance(one, Organisation)},
    )
    counts = {outcome.value: outcomes.count(outcome) for outcome in LineOutcome}
    record_all(batch.happenings, by=by, now=now)
    record(
        "accounts.registered",
        subject=("register", "accounts"),
        by=by,
        now=now,
        details=counts | {"rejected": len(rejected)},
    )
    return Registered(**counts, rejected=tuple(rejected), notes=tuple(batch.notes))


def _announce(*, accounts: Collection[int] = (), organisations: Collection[int] = ()) -> None:
    """Have gateways told where a restriction on these covers other names than they know."""
    if not accounts and not organisations:
        return
    targets = [f"account:{pk}" for pk in sorted(accounts)] + [f"organisation:{pk}" for pk in sorted(organisations)]
    ring(NAMES_CHANGED, *(targets if len(targets) <= MOST_NAMED else ()))


def _organisations(external_ids: Collection[str]) -> dict[str, int]:
    """The primary keys of these organisations by external id, made where missing."""
    Organisation.objects.bulk_create(
        [Organisation(external_id=external_id) for external_id in sorted(external_ids)], ignore_conflicts=True
    )
    return dict(Organisation.objects.filter(external_id__in=external_ids).values_list("external_id", "pk"))


def meet_accounts(accounts: Mapping[str, str | None], *, now: datetime) -> dict[str, int]:
    """The primary keys of accounts seen in usage (external id → organisation's, if said); unknown ones are created.

    Where the register names no organisation of an account, usage does. Runs in the caller's transaction.
    """
    found = known.accounts.among(accounts)
    named = {name: organisation for name, organisation in accounts.items() if organisation}
    placed = known.placed.among(named)
    if len(found) == len(accounts) and len(placed) == len(named):
        return found
    strangers = {name: accounts[name] for name in accounts if name not in found}
    found |= dict(Account.objects.known_as(list(strangers)).values_list("external_id", "pk"))
    new = {name: organisation for name, organisation in strangers.items() if name not in found}
    organisations = _organisations({name for name in new.values() if name}) if any(new.values()) else {}
    if new:
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
        found |= dict(Account.objects.known_as(list(new)).values_list("external_id", "pk"))
        _announce(organisations=organisations.values())
    _place({found[name]: organisation for name, organisation in named.items() if name not in placed})
    met = {name: found[name] for name in strangers}
    transaction.on_commit(lambda: known.accounts.remember(met))
    transaction.on_commit(lambda: known.placed.remember({name: found[name] for name in named}))
    return found


def _place(accounts: Mapping[int, str]) -> None:
    """Put accounts into the organisation that usage names (primary key → external id), if the register says none."""
    without = Account.objects.filter(pk__in=accounts, organisation=None, has_no_organisation=False)
    if not (homeless := list(without.select_for_update(no_key=True).order_by("pk"))):
        return
    organisations = _organisations({accounts[account.pk] for account in homeless})
    for account in homeless:
        account.organisation_id = organisations[accounts[account.pk]]
    Account.objects.bulk_update(homeless, ["organisation"], batch_size=1_000)
    _announce(organisations=organisations.values())


def meet_keys(keys: Mapping[str, int], *, now: datetime) -> None:
    """Make known the API keys seen in usage, each with its account's primary key. In the caller's transaction.

    A key that is known stays with its account: only the register moves it.
    """
    met = known.keys.among(keys)
    strangers = {name: account for name, account in keys.items() if name not in met}
    if not strangers:
        return
    registered = set(ApiKey.objects.filter(external_id__in=list(strangers)).values_list("external_id", flat=True))
    new = {name: account for name, account in strangers.items() if name not in registered}
    ApiKey.objects.bulk_create(
        [ApiKey(external_id=name, account_id=account, first_seen_at=now) for name, account in sorted(new.items())],
        ignore_conflicts=True,
    )
    _announce(accounts=set(new.values()))
    transaction.on_commit(lambda: known.keys.remember(strangers))
