"""A line of the register of customers: what `import_accounts` reads. Pure.

A member that is absent is UNSET and leaves what is stored as it is; null and an empty text clear it.
"""

import ipaddress
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=200)]


class LicenceLine(msgspec.Struct, frozen=True):
    """One value: what it leaves out, it does not have."""

    training_permitted: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reference: Text = ""


class AcceptedTerms(msgspec.Struct, frozen=True):
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    accepted_at: datetime


class ApiKeyLine(msgspec.Struct, frozen=True):
    id: Id
    digest: Annotated[str, msgspec.Meta(pattern="^(([0-9a-fA-F]{2}){16,64})?$")] | UnsetType | None = UNSET


class AccountLine(msgspec.Struct, frozen=True):
    """Only `account` is required. Unknown members are ignored."""

    account: Id
    organisation: Annotated[str, msgspec.Meta(max_length=128)] | UnsetType | None = UNSET
    organisation_name: Text | UnsetType | None = UNSET
    status: Literal["open", "closed"] | UnsetType = UNSET
    created_at: datetime | UnsetType | None = UNSET
    plan: Annotated[str, msgspec.Meta(max_length=64)] | UnsetType | None = UNSET
    declared_use: Text | UnsetType | None = UNSET
    country: Annotated[str, msgspec.Meta(max_length=2)] | UnsetType | None = UNSET
    signup_ip: str | UnsetType | None = UNSET
    email_domain: Annotated[str, msgspec.Meta(max_length=253)] | UnsetType | None = UNSET
    payment_fingerprint: Annotated[str, msgspec.Meta(max_length=128)] | UnsetType | None = UNSET
    licence: LicenceLine | UnsetType | None = UNSET
    keys: list[ApiKeyLine] | None = []
    terms: AcceptedTerms | None = None


_decoder = msgspec.json.Decoder(AccountLine)


class UnreadableLineError(ValueError):
    """Says in words what is wrong with a line."""


def read_line(line: bytes) -> AccountLine:
    """The account described by a line of JSON. Raises UnreadableLineError."""
    try:
        account = _decoder.decode(line)
        if account.signup_ip:
            _check_address(account.signup_ip)
        _check_times(account)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableLineError(str(error)) from error
    if account.organisation_name and not account.organisation:
        raise UnreadableLineError("organisation_name is given without organisation: say which organisation it names")
    if b"\\u0000" in line:
        raise UnreadableLineError("text must not hold the character NUL")
    return account


def _check_address(text: str) -> None:
    address = ipaddress.ip_address(text)
    if address.version == 6 and address.scope_id:
        raise ValueError(f"{text!r} names a network interface: leave out the part from % on")


def _check_times(account: AccountLine) -> None:
    times = {"created_at": account.created_at}
    if account.terms:
        times["terms.accepted_at"] = account.terms.accepted_at
    if licence := account.licence:
        times |= {"licence.starts_at": licence.starts_at, "licence.ends_at": licence.ends_at}
    for name, time in times.items():
        if not isinstance(time, datetime):
            continue
        if time.tzinfo is None:
            raise ValueError(f"{name} has no time zone: write it as 2026-11-02T09:14:07Z")
        try:
            time.astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"{name} is out of range: use the years 1 to 9999 in UTC") from error
    if licence and licence.starts_at and licence.ends_at and licence.ends_at <= licence.starts_at:
        raise ValueError(f"licence.ends_at ({licence.ends_at}) must be after licence.starts_at ({licence.starts_at})")
