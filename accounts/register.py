"""A line of the register of customers: what `import_accounts` reads. Pure.

A member that is absent is UNSET and leaves what is stored as it is; null and an empty text clear it. Inside an object
both are as absent, but for the digest of a key, and an object with nothing else in it is null.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from accounts.normalization import (
    UTF_16,
    is_nothing,
    normalize_address,
    normalize_country,
    normalize_domain,
    normalize_id,
    strip_byte_order_mark,
)
from governance.web.faults import plain_fault
from governance.web.json_members import object_of_pairs

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
# Gateways digest the keys that customers show in this way, so a digest of any other form would never be found.
Digest = Annotated[
    str,
    msgspec.Meta(pattern=r"^([0-9a-fA-F]{64})?\Z", description="the SHA-256 of the key in hexadecimal, 64 characters"),
]


class LicenceValue(msgspec.Struct, frozen=True):
    """One value: what it leaves out, it does not have."""

    training_permitted: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reference: Text = ""


class AcceptedTerms(msgspec.Struct, frozen=True):
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    accepted_at: datetime


class ApiKeyValue(msgspec.Struct, frozen=True):
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
    licence: LicenceValue | UnsetType | None = UNSET
    keys: list[ApiKeyValue] | None = []
    terms: AcceptedTerms | None = None


# Ids, and what accounts are compared by. Programs write "None" or "null" into them where they know none; as the name of
# a plan or a company it may be meant.
_NEVER_CALLED_NONE: Final = frozenset(
    {"account", "organisation", "signup_ip", "country", "email_domain", "payment_fingerprint"}
    | {"id", "digest", "version", "reference", "created_at", "accepted_at", "starts_at", "ends_at"}
)
_NEVER_CLEARED: Final = frozenset({"status"})
_CLEARED_INSIDE: Final = frozenset({"digest"})
# What a member, or one of its list, cannot do without.
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("account",),
    "keys": ("id",),
    "terms": ("version", "accepted_at"),
}


class LineOutcome(StrEnum):
    """What a line did to its account."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class UnreadableLineError(ValueError):
    """Says in words what is wrong with a line."""


def parse_account_line(line: bytes) -> AccountLine:
    """The account described by a line of JSON, every value in its one spelling. Raises UnreadableLineError."""
    try:
        text = strip_byte_order_mark(line)
        given = msgspec.json.decode(text)
        json.loads(text, object_pairs_hook=object_of_pairs)  # msgspec takes the last of a member's values
        read = msgspec.convert(_clear_empty_members(given), AccountLine)
        account = msgspec.convert(_normalize(read), AccountLine)
        _check_times(account)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        reason = "it is UTF-16: save the file as UTF-8" if line.startswith(UTF_16) else plain_fault(error, AccountLine)
        raise UnreadableLineError(reason) from error
    if account.organisation_name and not account.organisation:
        raise UnreadableLineError("organisation_name is given without organisation: say which organisation it names")
    return account


def _clear_empty_members(line: Any) -> Any:
    """The members of a line, each that says there is nothing as null. Raises ValueError."""
    if not isinstance(line, dict):
        return line
    _refuse_incomplete("", line)
    cleared = {name: _clear_empty_value(name, value) for name, value in line.items()}
    return {name: value for name, value in cleared.items() if value is not None or name not in _NEVER_CLEARED}


def _clear_empty_value(name: str, value: Any) -> Any:
    """None where the value says that there is nothing; objects and lists without what says so. Raises ValueError."""
    if isinstance(value, list):
        return [one for one in (_clear_empty_value(name, one) for one in value) if one is not None]
    if not isinstance(value, dict):
        return None if _says_nothing(name, value) else value
    left = {inner: one for inner, one in value.items() if not _says_nothing(inner, one)}
    if not left:
        return None
    _refuse_incomplete(name, left)
    return left | dict.fromkeys(_CLEARED_INSIDE & value.keys() - left.keys())


def _says_nothing(name: str, value: Any) -> bool:
    if name in _NEVER_CALLED_NONE:
        return is_nothing(value)
    return value is None or (isinstance(value, str) and not value.strip())


def _refuse_incomplete(name: str, members: Mapping[str, Any]) -> None:
    for required in _REQUIRED.get(name, ()):
        if _says_nothing(required, members.get(required)):
            raise ValueError(f"{f'{name}.{required}'.lstrip('.')} is missing or empty")


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


def _normalize(account: AccountLine) -> Any:
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
