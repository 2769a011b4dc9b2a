"""Endpoints that list rows: filters, keyset pages, a choice of members, and everything at once as NDJSON.

Each row is read as plain columns: a list is one query, however much it shows, and an export needs as much memory as one
of its batches.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeVar

import msgspec
from django import forms
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.web.cursors import Cursor, CursorField, rows_after
from governance.web.parsing import StrictSerializer, parse_query

NDJSON: Final = "application/x-ndjson"
USUAL_PAGE: Final = 200
LONGEST_PAGE: Final = 1_000
# Rows that an export reads at a time.
BATCH: Final = 2_000

V = TypeVar("V", bound="type[RowsView]")
M = TypeVar("M", bound=Model)


@extend_schema_field(str)
class CursorParameter(serializers.Field[Cursor, str, str, Any]):
    """Where a page begins, as the page before it said."""

    def to_internal_value(self, data: str) -> Cursor:
        try:
            cursor = CursorField().clean(data)
        except forms.ValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        if cursor is None:
            raise serializers.ValidationError("Give what `next` said, or leave this out.")
        return cursor


class ListQuery(StrictSerializer):
    """What every list takes beside its filters."""

    after = CursorParameter(required=False, help_text="What `next` of the page before said.")
    limit = serializers.IntegerField(
        min_value=1, max_value=LONGEST_PAGE, required=False, help_text=f"How many rows; {USUAL_PAGE} if not given."
    )

    def get_fields(self) -> dict[str, Any]:
        chosen = serializers.CharField(
            required=False, help_text="Which members, separated by commas; all if not given."
        )
        return {**super().get_fields(), "fields": chosen}


class RowSerializer(serializers.Serializer[Any]):
    """A row as the API shows it. The `source` of a field is the path of its column."""

    def get_fields(self) -> dict[str, Any]:
        """None is required: `fields` may leave any of them out."""
        found: dict[str, Any] = super().get_fields()
        for field in found.values():
            field.required = False
        return found


class NdjsonRenderer(JSONRenderer):
    """Has Accept name NDJSON. What it renders itself are errors."""

    media_type = NDJSON
    format = "ndjson"


class RowsView(APIView):
    """Lists the rows of `list_name`, each as `row` describes it, in this order."""

    renderer_classes = (JSONRenderer, NdjsonRenderer)
    list_name: ClassVar[str]
    query: ClassVar[type[ListQuery]] = ListQuery
    row: ClassVar[type[RowSerializer]]
    order: ClassVar[tuple[str, ...]]
    # Members that `shown` needs, also where they are not asked for.
    needed: ClassVar[tuple[str, ...]] = ()

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Any]:
        """Return those that the filters let through."""
        raise NotImplementedError

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown of the columns of a row."""
        return row

    def page_members(self, following: Cursor | None) -> dict[str, Any]:
        """Return what an answer has beside its rows and `next`."""
        return {}

    def note_export(self, request: Request, asked: Mapping[str, Any], rows: QuerySet[Any]) -> None:
        """Record that rows leave, where that is an entry of the log."""

    def get(self, request: Request) -> HttpResponseBase:
        query = self.query(data=parse_query(request))
        query.is_valid(raise_exception=True)
        asked: Mapping[str, Any] = query.validated_data
        names = self._names(asked.get("fields"))
        rows = rows_after(self.rows(asked).order_by(*self.order), asked.get("after"), self.order)
        if getattr(request.accepted_renderer, "format", "") == NdjsonRenderer.format:
            if "limit" in asked:
                raise serializers.ValidationError({"limit": "NDJSON has no pages: it holds all rows."})
            self.note_export(request, asked, rows)
            return StreamingHttpResponse(self._lines(rows, names), content_type=NDJSON)
        return Response(self._page(rows, names, asked.get("limit", USUAL_PAGE)))

    def _names(self, chosen: str | None) -> list[str]:
        """The members that are asked for. Raises ValidationError."""
        known = list(self.row().fields)
        if chosen is None:
            return known
        names = list(dict.fromkeys(chosen.split(",")))
        if unknown := [name for name in names if name not in known]:
            there = ", ".join(known)
            raise serializers.ValidationError({"fields": f"There is no {ascii(unknown[0])[:60]}. There are {there}."})
        return names

    def _columns(self, names: Iterable[str]) -> dict[str, str]:
        """The path of the column of each of these members, and of those that are needed with them."""
        fields = self.row().fields
        return {name: str(fields[name].source).replace(".", "__") for name in dict.fromkeys((*names, *self.needed))}

    def _page(self, rows: QuerySet[Any], names: Sequence[str], limit: int) -> dict[str, Any]:
        columns, sorted_by = self._columns(names), [name.removeprefix("-") for name in self.order]
        found = list(rows.values_list(*columns.values(), *sorted_by)[: limit + 1])
        following = Cursor(self.order, found[limit - 1][len(columns) :]) if len(found) > limit else None
        return {
            self.list_name: [self._as_shown(names, columns, row) for row in found[:limit]],
            "next": str(following) if following else None,
            **self.page_members(following),
        }

    def _lines(self, rows: QuerySet[Any], names: Sequence[str]) -> Iterator[bytes]:
        encode, columns = msgspec.json.Encoder().encode, self._columns(names)
        with transaction.atomic():  # outside of one the database would copy all rows before the first is sent
            for row in rows.values_list(*columns.values()).iterator(chunk_size=BATCH):
                yield encode(self._as_shown(names, columns, row)) + b"\n"

    def _as_shown(self, names: Iterable[str], columns: Iterable[str], row: Iterable[Any]) -> dict[str, Any]:
        shown = self.shown(dict(zip(columns, row, strict=False)))
        return {name: shown[name] for name in names}


def describe_rows(
    *,
    summary: str,
    description: str,
    example: Mapping[str, Any],
    tag: str = "Reading",
    **members: serializers.Field[Any, Any, Any, Any],
) -> Callable[[V], V]:
    """Say in the OpenAPI document what a list holds, and which `members` a page has beside its rows."""

    def decorate(view: V) -> V:
        page = inline_serializer(
            f"{view.row.__name__}Page",
            {view.list_name: view.row(many=True), "next": serializers.CharField(allow_null=True), **members},
        )
        responses = {
            (HTTPStatus.OK.value, "application/json"): OpenApiResponse(page, "A page; `next` begins the one after it."),
            (HTTPStatus.OK.value, NDJSON): OpenApiResponse(str, "With `Accept: application/x-ndjson`: all rows."),
        }
        described = extend_schema(
            operation_id=f"list_{view.list_name}",
            summary=summary,
            description=description,
            tags=[tag],
            parameters=[view.query],
            responses=responses,
            examples=[
                OpenApiExample(
                    "One", {view.list_name: [example], "next": None, **dict.fromkeys(members)}, response_only=True
                ),
            ],
        )
        return extend_schema_view(get=described)(view)

    return decorate


def filtered(rows: QuerySet[M], asked: Mapping[str, Any], renamed: Mapping[str, str], *same: str) -> QuerySet[M]:
    """Return the rows that equal what is asked: by `renamed` paths, and by columns with the `same` name."""
    paths = {**renamed, **dict(zip(same, same, strict=True))}
    return rows.filter(**{path: asked[name] for name, path in paths.items() if name in asked})
