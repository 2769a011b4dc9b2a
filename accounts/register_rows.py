"""The rows of the register that a batch adds or changes, written at once."""

from collections import defaultdict
from typing import Any, Final

from django.db.models import Model

from accounts.models import Account, ApiKey, Licence, Organisation, TermsAcceptance, TermsVersion

# Members of a line that are columns of an account, and what each is where it is cleared.
COLUMNS: Final[dict[str, Any]] = {
    "status": Account.Status.OPEN,
    "created_at": None,
    "plan": "",
    "declared_use": "",
    "country": "",
    "signup_ip": None,
    "email_domain": "",
    "payment_fingerprint": "",
}
# Of these what a person could be known by: of an account that was erased the register brings them back no more.
PERSONAL: Final = ("declared_use", "signup_ip", "email_domain", "payment_fingerprint")
# In the order in which rows refer to each other, each with the columns that a line may change.
WRITTEN: Final[dict[type[Model], list[str]]] = {
    Organisation: ["name"],
    Account: ["organisation", "has_no_organisation", *COLUMNS, "closed_at", "erased_at"],
    ApiKey: ["account", "digest", "tied_by", "contested_by", "contested_at"],
    Licence: ["training_permitted", "ends_at"],
    TermsVersion: ["published_at"],
    TermsAcceptance: ["accepted_at"],
}


class RegisterRows:
    """Rows that a batch adds or changes, beside what is stored of them."""

    def __init__(self) -> None:
        self._new: dict[type[Model], list[Model]] = defaultdict(list)
        self._changed: dict[type[Model], dict[int, Model]] = defaultdict(dict)
        self._stored: dict[int, dict[str, Any]] = defaultdict(dict)  # of a changed row (by `id`): columns as they were

    def add(self, row: Model) -> None:
        self._new[type(row)].append(row)

    def change(self, row: Model, **columns: Any) -> None:
        stored = self._stored[id(row)]
        for column, value in columns.items():
            if row.pk is not None:
                stored.setdefault(column, getattr(row, column))
            setattr(row, column, value)
        if row.pk is not None:
            self._changed[type(row)][row.pk] = row

    def stored(self, row: Model) -> dict[str, Any]:
        """Return the columns of a row that were changed, as they are stored."""
        return self._stored[id(row)]

    def differs(self, row: Model) -> bool:
        """Whether the row is new, or holds something else than is stored.

        A licence that the batch has given and taken back before it could permit anything never was.
        """
        if row.pk is None:
            return not isinstance(row, Licence) or row.training_permitted
        return any(getattr(row, column) != value for column, value in self._stored[id(row)].items())

    def save(self) -> None:
        """Write what was added and changed, each kind of row in one or two statements."""
        # First of all free the digests that change hands: two keys may swap theirs.
        rekeyed = [pk for pk, key in self._changed[ApiKey].items() if self.differs(key)]
        ApiKey.objects.filter(pk__in=rekeyed).update(digest=None)
        for model, columns in WRITTEN.items():
            rows = model._default_manager
            if changed := [row for _, row in sorted(self._changed[model].items()) if self.differs(row)]:
                rows.bulk_create(
                    changed,
                    update_conflicts=True,
                    unique_fields=["id"],
                    update_fields=columns,
                )
            rows.bulk_create([row for row in self._new[model] if self.differs(row)])
