"""Keeping the register of customers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from accounts import known
from accounts.models import Account, ApiKey, Licence, Organisation, TermsAcceptance, TermsVersion
from accounts.register import AccountLine
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.doorbell import ring

DESCRIBED_BY_SELLER = (
    "organisation", "status", "created_at", "plan", "declared_use", "country", "signup_ip", "email_domain",
    "payment_fingerprint",
)  # fmt: skip

# Somebody restricted may have a new key, or an organisation a new account: gateways are to know at once.
NAMES_CAME = "governance.tasks.cover_new_names"


class Registered(NamedTuple):
    """How many accounts a batch made and how many it described anew."""

    created: int
    updated: int


@transaction.atomic
def register_accounts(lines: Sequence[AccountLine], *, by: Actor, now: datetime) -> Registered:
    """Take in what the seller says of its accounts; the last line about an account wins."""
    latest = {line.account: line for line in lines}
    organisations = _organisations({line.organisation: line.organisation_name for line in latest.values()})
    known = set(Account.objects.known_as(list(latest)).values_list("external_id", flat=True))
    Account.objects.bulk_create(
        [_account(line, organisations, now) for _, line in sorted(latest.items())],
        update_conflicts=True,
        unique_fields=["external_id"],
        update_fields=DESCRIBED_BY_SELLER,
    )
    accounts = {account.external_id: account for account in Account.objects.known_as(list(latest))}
    _license(latest, accounts, now)
    _register_keys(latest, accounts, now)
    _accept_terms(latest, accounts)
    ring(NAMES_CAME)
    registered = Registered(created=len(latest) - len(known), updated=len(known))
    record("accounts.registered", subject=("register", "accounts"), by=by, now=now, details=registered._asdict())
    return registered


def _account(line: AccountLine, organisations: Mapping[str, int], now: datetime) -> Account:
    return Account(
        external_id=line.account,
        organisation_id=organisations[line.organisation] if line.organisation else None,
        status=line.status,
        created_at=line.created_at,
        first_seen_at=now,
        plan=line.plan,
        declared_use=line.declared_use,
        country=line.country or "",
        signup_ip=line.signup_ip,
        email_domain=line.email_domain or "",
        payment_fingerprint=line.payment_fingerprint or "",
    )


def _organisations(names: Mapping[str | None, str]) -> dict[str, int]:
    """The primary keys of these organisations by external id, made where missing and named where a name is given."""
    wanted = dict(sorted((external_id, name) for external_id, name in names.items() if external_id))
    Organisation.objects.bulk_create(
        [Organisation(external_id=external_id, name=name) for external_id, name in wanted.items()],
        ignore_conflicts=True,
    )
    Organisation.objects.bulk_create(
        [Organisation(external_id=external_id, name=name) for external_id, name in wanted.items() if name],
        update_conflicts=True,
        unique_fields=["external_id"],
        update_fields=["name"],
    )
    return dict(Organisation.objects.filter(external_id__in=list(wanted)).values_list("external_id", "pk"))


def _license(lines: Mapping[str, AccountLine], accounts: Mapping[str, Account], now: datetime) -> None:
    """A permission to train begins or ends where the seller's word differs from what is in force."""
    in_force = Licence.objects.in_force(at=now).filter(training_permitted=True)
    permitted = set(in_force.filter(account__in=accounts.values()).values_list("account__external_id", flat=True))
    wanted = {name: line.licence for name, line in lines.items() if line.licence is not None}
    Licence.objects.bulk_create(
        Licence(
            account=accounts[name],
            training_permitted=True,
            starts_at=licence.starts_at or accounts[name].created_at or now,
            ends_at=licence.ends_at,
            reference=licence.reference,
        )
        for name, licence in wanted.items()
        if licence.training_permitted and name not in permitted
    )
    ended = [accounts[name].pk for name, licence in wanted.items() if not licence.training_permitted]
    in_force.filter(account__in=ended).update(ends_at=now)


def _register_keys(lines: Mapping[str, AccountLine], accounts: Mapping[str, Account], now: datetime) -> None:
    ApiKey.objects.bulk_create(
        [
            ApiKey(
                external_id=key.id,
                account=accounts[name],
                digest=bytes.fromhex(key.digest) if key.digest else None,
                first_seen_at=now,
            )
            for name, line in lines.items()
            for key in line.keys
        ],
        ignore_conflicts=True,
    )


def _accept_terms(lines: Mapping[str, AccountLine], accounts: Mapping[str, Account]) -> None:
    accepted = {name: line.terms for name, line in lines.items() if line.terms is not None}
    first_seen = {terms.version: terms.accepted_at for terms in accepted.values()}
    TermsVersion.objects.bulk_create(
        [TermsVersion(name=name, published_at=at) for name, at in sorted(first_seen.items())],
        ignore_conflicts=True,
    )
    versions = TermsVersion.objects.in_bulk(list(first_seen), field_name="name")
    TermsAcceptance.objects.bulk_create(
        [
            TermsAcceptance(account=accounts[name], terms=versions[terms.version], accepted_at=terms.accepted_at)
            for name, terms in accepted.items()
        ],
        ignore_conflicts=True,
    )


def meet_accounts(accounts: Mapping[str, str | None], *, now: datetime) -> dict[str, int]:
    """The primary keys of accounts seen in usage (external id → organisation's, if said); unknown ones are created.

    Runs in the caller's transaction.
    """
    found = known.accounts.among(accounts)
    if len(found) == len(accounts):
        return found
    strangers = [name for name in accounts if name not in found]
    found |= dict(Account.objects.known_as(strangers).values_list("external_id", "pk"))
    if new := {name: organisation for name, organisation in accounts.items() if name not in found}:
        organisations = _organisations(dict.fromkeys(filter(None, new.values()), ""))
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
        ring(NAMES_CAME)
    met = {name: found[name] for name in strangers}
    transaction.on_commit(lambda: known.accounts.remember(met))
    return found


def meet_keys(keys: Mapping[str, int], *, now: datetime) -> None:
    """Make known the API keys seen in usage, each with its account's primary key. In the caller's transaction."""
    met = known.keys.among(keys)
    strangers = {name: account for name, account in keys.items() if name not in met}
    if not strangers:
        return
    registered = set(ApiKey.objects.filter(external_id__in=list(strangers)).values_list("external_id", flat=True))
    ApiKey.objects.bulk_create(
        [
            ApiKey(external_id=name, account_id=account, first_seen_at=now)
            for name, account in sorted(strangers.items())
            if name not in registered
        ],
        ignore_conflicts=True,
    )
    if len(registered) < len(strangers):
        ring(NAMES_CAME)
    transaction.on_commit(lambda: known.keys.remember(strangers))
