"""Filters of admin lists: who did it, and when."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from governance.audit.queries import list_actors


class WhoFilter(admin.SimpleListFilter):
    """Who did it: everybody who has an entry in the log, under the name of their newest one."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list_actors()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        kind, _, pk = str(self.value()).partition(":")
        return queryset.filter(actor_kind=kind, actor_id=pk)


class PeriodFilter(admin.FieldListFilter):
    """From one UTC day to another, both included."""

    template = "audit/period_filter.html"

    @property
    def names(self) -> tuple[str, str]:
        """The parameters of the first and the last day."""
        return f"{self.field_path}_from", f"{self.field_path}_to"

    def expected_parameters(self) -> list[str | None]:
        return [*self.names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = map(self._day, self.names)
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": last + timedelta(days=1)})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        own = self.names
        others = [(name, value) for name, value in changelist.params.items() if name not in {*own, PAGE_VAR}]
        others += [
            (name, value)
            for name, values in changelist.filter_params.items()
            if name not in own and name not in changelist.params
            for value in values
        ]
        yield {"from": self._value(own[0]), "to": self._value(own[1]), "names": own, "others": others}

    def _value(self, name: str) -> str:
        given = self.used_parameters.get(name, "")
        return str(given[-1] if isinstance(given, list) else given)

    def _day(self, name: str) -> datetime | None:
        """Return the start of the day. Raises IncorrectLookupParameters, after which the list is shown unfiltered."""
        if not (text := self._value(name)):
            return None
        try:
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error
