"""Admin pages that show, search and filter a table, and change nothing."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.filters import EmptyFieldListFilter, SimpleListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import DateField, Field, ForeignKey, Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from governance.audit.filters import PeriodFilter


class ReadOnlyAdmin(ModelAdmin):
    """No role can add, change or delete rows here: actions do that."""

    list_per_page = 50
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the filters beside the list ask for: by any other, such as a digest, a value could be guessed."""
        return lookup in self.offered_lookups()

    def offered_lookups(self) -> set[str]:
        offered: set[str] = set()
        for one in self.list_filter:
            if isinstance(one, type) and issubclass(one, SimpleListFilter) and one.parameter_name:
                offered.add(one.parameter_name)
                continue
            path = one[0] if isinstance(one, tuple) else str(one)
            field = get_fields_from_path(self.model, path)[-1]
            offered |= {path, *(f"{path}__{how}" for how in _lookups_of_a_filter(field))}
            if isinstance(one, tuple) and issubclass(one[1], PeriodFilter):
                offered |= {f"{path}_from", f"{path}_to"}
            if isinstance(one, tuple) and issubclass(one[1], EmptyFieldListFilter):
                offered.add(f"{path}__isempty")
        if self.date_hierarchy:
            offered |= {f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")}
        return offered

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are named by their key alone."""
        return bool(to_field == self.opts.pk.name)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """An empty `_to_field` in the address is none."""
        found: Model | None = super().get_object(request, object_id, from_field or None)
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _lookups_of_a_filter(field: "Field[Any, Any]") -> Iterator[str]:
    """The lookups with which Django's own filters ask about a field of this kind."""
    yield from ("exact", "isnull")
    if isinstance(field, ForeignKey):
        yield f"{field.target_field.name}__exact"
    elif isinstance(field, DateField):
        yield from ("gte", "lt")
