"""A line of the register of customers: what `import_accounts` reads. Pure.

A member that is absent is UNSET and leaves what is stored as it is; null and an empty text clear it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from accounts.normalization import (
    UTF_16,
    normalize_address,
    normalize_country,
    normalize_domain,
    normalize_id,
    without_mark,
)
from governance.web.faults import plain_fault

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
# Gateways digest the keys that customers show in this way, so a digest of any other form would never be found.
Digest = Annotated[
    str,
    msgspec.Meta(pattern=r"^([0-9a-fA-F]{64})?\Z", description="the SHA-256 of the key in hexadecimal, 64 characters"),
]


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
    digest: Digest | UnsetType | None = UNSET


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


# What an empty text is null for, since tables know no other way to say so. A status cannot be cleared.
_NOT_TEXT = frozenset({"created_at", "starts_at", "ends_at", "licence", "keys", "terms"})
_NEVER_EMPTY = frozenset({"status"})


class UnreadableLineError(ValueError):
    """Says in words what is wrong with a line."""


def read_line(line: bytes) -> AccountLine:
    """The account described by a line of JSON, every value in its one spelling. Raises UnreadableLineError."""
    try:
        read = msgspec.convert(_without_empty(msgspec.json.decode(without_mark(line))), AccountLine)
        account = msgspec.convert(_normalized(read), AccountLine)
        _check_times(account)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        reason = "it is UTF-16: save the file as UTF-8" if line.startswith(UTF_16) else plain_fault(error, AccountLine)
        raise UnreadableLineError(reason) from error
    if account.organisation_name and not account.organisation:
        raise UnreadableLineError("organisation_name is given without organisation: say which organisation it names")
    return account


def _without_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_empty(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: None if one == "" and name in _NOT_TEXT else _without_empty(one)
        for name, one in value.items()
        if not (one == "" and name in _NEVER_EMPTY)
    }


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


# How each text is spelled; the others are only stripped and composed.
_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "signup_ip": normalize_address,
    "country": normalize_country,
    "email_domain": normalize_domain,
}


def _normalized(account: AccountLine) -> Any:
    """The members of the account in their one spelling. Raises ValueError."""

    def spelled(name: str, value: Any) -> Any:
        if isinstance(value, msgspec.Struct):
            members = msgspec.structs.asdict(value).items()
            return {inner: spelled(inner, one) for inner, one in members if one is not UNSET}
        if isinstance(value, list):
            return [spelled(name, one) for one in value]
        if not isinstance(value, str):
            return value
        if "\0" in value:
            raise ValueError(f"{name} must not hold the character NUL")
        try:
            return _SPELLINGS.get(name, normalize_id)(value)
        except ValueError as error:
            raise ValueError(f"{name} {value!r} {error}") from None

    return spelled("", account)
