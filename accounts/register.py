"""A line of the register of customers: what `import_accounts` reads. Pure."""

import ipaddress
from datetime import datetime
from typing import Annotated, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=200)]


class LicenceLine(msgspec.Struct, frozen=True):
    training_permitted: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reference: Text = ""


class AcceptedTerms(msgspec.Struct, frozen=True):
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    accepted_at: datetime


class ApiKeyLine(msgspec.Struct, frozen=True):
    id: Id
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2}){16,64}$")] | None = None


class AccountLine(msgspec.Struct, frozen=True):
    """Only `account` is required. Unknown members are ignored."""

    account: Id
    organisation: Id | None = None
    organisation_name: Text = ""
    status: Literal["open", "closed"] = "open"
    created_at: datetime | None = None
    plan: Annotated[str, msgspec.Meta(max_length=64)] = ""
    declared_use: Text = ""
    country: Annotated[str, msgspec.Meta(max_length=2)] | None = None
    signup_ip: str | None = None
    email_domain: Annotated[str, msgspec.Meta(max_length=253)] | None = None
    payment_fingerprint: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    licence: LicenceLine | None = None
    keys: list[ApiKeyLine] = []
    terms: AcceptedTerms | None = None


_decoder = msgspec.json.Decoder(AccountLine)


class UnreadableLineError(ValueError):
    """Says in words what is wrong with a line."""


def read_line(line: bytes) -> AccountLine:
    """The account described by a line of JSON. Raises UnreadableLineError."""
    try:
        account = _decoder.decode(line)
        if account.signup_ip is not None:
            ipaddress.ip_address(account.signup_ip)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableLineError(str(error)) from error
    times = [account.created_at, account.terms.accepted_at if account.terms else None]
    if account.licence:
        times += [account.licence.starts_at, account.licence.ends_at]
    if any(time is not None and time.tzinfo is None for time in times):
        raise UnreadableLineError("a time has no time zone: write it as 2026-11-02T09:14:07Z")
    if b"\\u0000" in line:
        raise UnreadableLineError("text must not hold the character NUL")
    return account
