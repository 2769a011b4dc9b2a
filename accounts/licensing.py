"""What a line of the register changes about an account's licences to train.

A licence is known by its account, its contract (`reference`) and its start; everything else about it may change.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from accounts.models import Licence
from accounts.register import LicenceValue


class ImpossibleLicenceError(ValueError):
    """Says in words why there can be no such licence."""


class LicenceTerms(NamedTuple):
    """When a permission to train begins and ends. `licence` is the stored one that it changes, None for a new one."""

    licence: Licence | None
    starts_at: datetime
    ends_at: datetime | None


def permitted_terms(
    line: LicenceValue, known: Sequence[Licence], *, opened_at: datetime | None, now: datetime
) -> LicenceTerms:
    """Return the licence that a line permitting training speaks of, with the dates it gives it.

    Without a start the line speaks of the newest licence of its contract, unless that has ended and this one has not;
    then, and where there is none, it is a new one: from when the account was opened, or from now after an earlier one.

    Raises ImpossibleLicenceError where it would end before it starts.
    """
    contract = sorted((one for one in known if one.reference == line.reference), key=lambda one: one.starts_at)
    if line.starts_at is not None:
        starts_at = line.starts_at
    else:
        newest = next((one for one in reversed(contract) if one.training_permitted), None)
        if newest is not None and (_is_open(newest, now) or (line.ends_at is not None and line.ends_at <= now)):
            starts_at = newest.starts_at
        else:
            starts_at = now if newest is not None else opened_at or now
    if line.ends_at is not None and line.ends_at <= starts_at:
        raise ImpossibleLicenceError(
            f"licence.ends_at ({line.ends_at}) must be after its start ({starts_at}): give licence.starts_at"
        )
    same = next((one for one in contract if one.starts_at == starts_at), None)
    return LicenceTerms(same, starts_at, line.ends_at)


def licences_to_withdraw(line: LicenceValue | None, known: Sequence[Licence], *, now: datetime) -> list[Licence]:
    """Return the licences that a line permitting no training takes back.

    That is every permission that has not ended, or those of the line's `reference` and `starts_at` where it names them.
    """
    return [
        one
        for one in known
        if one.training_permitted
        and _is_open(one, now)
        and (line is None or not line.reference or line.reference == one.reference)
        and (line is None or line.starts_at is None or line.starts_at == one.starts_at)
    ]


def withdrawal_changes(licence: Licence, changed: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
    """Return the columns that taking a licence back changes, given what is `changed` of those that have changed.

    It ends now; one that has not begun permits nothing from the start. One that only lines of the same batch have
    opened again is as it was.
    """
    if changed and not _permits(licence, changed, now):
        return changed
    return {"ends_at": now} if licence.starts_at < now else {"training_permitted": False}


def licence_details(licence: Licence) -> dict[str, Any]:
    """A licence as the audit log keeps it."""
    return {
        "reference": licence.reference,
        "training_permitted": licence.training_permitted,
        "starts_at": licence.starts_at.isoformat(),
        "ends_at": licence.ends_at.isoformat() if licence.ends_at else None,
    }


def _permits(licence: Licence, stored: Mapping[str, Any], now: datetime) -> bool:
    ends_at = stored.get("ends_at", licence.ends_at)
    return bool(stored.get("training_permitted", licence.training_permitted)) and (ends_at is None or ends_at > now)


def _is_open(licence: Licence, now: datetime) -> bool:
    return licence.ends_at is None or licence.ends_at > now
