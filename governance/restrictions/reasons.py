"""The reason codes of restrictions and decisions. They are part of the API."""

from typing import Final

from django.db import models


class Reason(models.TextChoices):
    """Why a customer is restricted, or why a case is dismissed."""

    BULK_HARVEST = "bulk_harvest", "Answers harvested in bulk"
    REASONING_HARVEST = "reasoning_harvest", "Reasoning traces collected"
    DATA_GENERATION = "data_generation", "Training data generated"
    COORDINATED_ACCOUNTS = "coordinated_accounts", "Accounts acting as one"
    RESOLD_ACCESS = "resold_access", "Access passed on or resold"
    UNVERIFIED_IDENTITY = "unverified_identity", "Identity could not be verified"
    OTHER = "other", "Another reason"
    EVALUATION = "evaluation", "An evaluation, not a harvest"
    EXPECTED_USE = "expected_use", "Fits the customer's business"
    AGREED_USE = "agreed_use", "Agreed with the customer"
    TOO_LITTLE_EVIDENCE = "too_little_evidence", "Too little evidence"


# Why a case is dismissed. Every other reason is one to restrict somebody.
DISMISSING: Final = (Reason.EVALUATION, Reason.EXPECTED_USE, Reason.AGREED_USE, Reason.TOO_LITTLE_EVIDENCE)
RESTRICTING: Final = tuple(reason for reason in Reason if reason not in DISMISSING)
# The reason needs a note that says what it is.
NEEDING_NOTE: Final = (Reason.OTHER,)


def all_reason_choices() -> list[tuple[str, str]]:
    """Return the choices of a model field: a function, so that a new reason needs no migration."""
    return Reason.choices


def restricting_choices() -> list[tuple[str, str]]:
    """Return the reasons for which somebody may be restricted, as choices."""
    return [(reason.value, reason.label) for reason in RESTRICTING]
