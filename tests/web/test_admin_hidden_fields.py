"""What the admin does not show cannot be found out by asking: no filter, search, order or other question touches it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets, get_fields_from_path
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import SuspiciousOperation
from django.db import connection
from django.db.models import BinaryField, CharField, Field, Model, TextField
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.staff.models import ServiceKey, User
from governance.staff.roles import Role
from tests.everything import one_of_everything
from tests.factories import person, service_key
from tests.web.test_admin import MODELS, address

pytestmark = [pytest.mark.django_db, pytest.mark.long]

LOOKUPS = (
    *("", "exact", "iexact", "regex", "iregex", "gt", "gte", "lt", "lte", "in", "isnull", "range", "contains"),
    *("icontains", "startswith", "endswith", "year", "date", "hour", "length", "len", "0", "overlap", "pk", "has_key"),
)
HOPS = 2


def admin_of(model: type[Model]) -> ReadOnlyAdmin:
    found = admin.site._registry[model]
    assert isinstance(found, ReadOnlyAdmin)
    return found


def asking(query: dict[str, str] | None = None) -> HttpRequest:
    request = RequestFactory().get("/", query)
    request.user = User(name="Ines Varga", role=Role.AUDITOR)
    return request


def shown(model: type[Model]) -> set[str]:
    """The fields of a row that somebody sees in the list or on its page."""
    one = admin_of(model)
    return {*map(str, one.list_display), *flatten_fieldsets(one.get_fieldsets(asking(), model()))}


def hidden(model: type[Model]) -> set[str]:
    """The columns that nobody sees; a row's own key is in its address."""
    return {field.name for field in model._meta.concrete_fields if not field.primary_key} - shown(model)


def paths(model: type[Model], hops: int = HOPS) -> Iterator[str]:
    """Every field, and every field behind a relation, forwards or backwards."""
    for field in model._meta.get_fields():
        yield field.name
        if hops and field.is_relation and isinstance(field.related_model, type):
            yield from (f"{field.name}__{path}" for path in paths(field.related_model, hops - 1))


def ends_of(path: str, model: type[Model]) -> tuple[type[Model], str]:
    """The model and the field at the end of a path such as `account__external_id`."""
    *_, last = get_fields_from_path(model, path.lstrip("=^@").removesuffix("__exact"))
    return last.model, last.name


def is_key(model: type[Model], field: str) -> bool:
    return field == model._meta.pk.name


WITH_HIDDEN = [model for model in MODELS if hidden(model)]


class TestWhatIsHidden:
    def test_is_what_we_think(self) -> None:
        found = {f"{model._meta.label}.{field}" for model in WITH_HIDDEN for field in hidden(model)}

        assert {"staff.User.password", "staff.ServiceKey.digest", "usage.Excerpt.ciphertext"} <= found
        assert {"webhooks.Webhook.secrets", "gateways.Gateway.litellm_key", "usage.DataKey.encrypted_key"} <= found

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_is_reached_by_no_lookup(self, model: type[Model]) -> None:
        one = admin_of(model)
        offered = one.offered_lookups()

        # What a filter that is a class does with its parameter is in that class.
        for path in offered - {getattr(filter_, "parameter_name", None) for filter_ in one.list_filter}:
            name = path.partition("__")[0]
            assert {name, name.removesuffix("_from"), name.removesuffix("_to")} & shown(model), path
        tried = 0
        for path in paths(model):
            for how in LOOKUPS:
                lookup = f"{path}__{how}" if how else path
                if lookup not in offered:
                    tried += 1
                    assert not one.lookup_allowed(lookup, "x", asking()), lookup
        assert tried >= len(LOOKUPS)  # a table may have one field alone
        for field in model._meta.concrete_fields:
            with pytest.raises(SuspiciousOperation):
                one.get_changelist_instance(asking({f"{field.name}__regex": "x"}))

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_is_not_searched(self, model: type[Model]) -> None:
        for path in admin_of(model).search_fields:
            there, field = ends_of(path, model)
            assert field in shown(there) or is_key(there, field), path

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_orders_no_list(self, model: type[Model]) -> None:
        one = admin_of(model)
        changelist = one.get_changelist_instance(asking())
        orders = [changelist.get_ordering_field(name) for name in one.list_display]

        for order in filter(None, orders):
            there, field = ends_of(str(order).lstrip("-"), model)
            assert field in shown(there) or is_key(there, field), order
            if (behind := there._meta.get_field(field)).is_relation:
                related = behind.related_model
                assert isinstance(related, type)
                assert {str(name).lstrip("-") for name in related._meta.ordering or ()} <= {
                    *shown(related),
                    "pk",
                    "id",
                    "number",
                }

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_is_in_no_action_or_other_page(self, model: type[Model]) -> None:
        one = admin_of(model)

        assert one.get_actions(asking()) == {}
        assert {str(entry.pattern).rpartition("/")[0].rpartition("/")[2] for entry in ModelAdmin.get_urls(one)} == {
            str(entry.pattern).rpartition("/")[0].rpartition("/")[2] for entry in one.get_urls()
        }

    @pytest.mark.parametrize("model", WITH_HIDDEN, ids=lambda model: model._meta.label)
    def test_changes_no_answer(self, client: Client, model: type[Model]) -> None:
        one_of_everything()
        ines = person("Ines Varga", role=Role.AUDITOR)
        client.force_login(ines)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")  # as no application can
        rows = model._default_manager.exclude(pk=ines.pk) if model is User else model._default_manager.all()
        before = answers(client, model)

        for field in sorted(hidden(model)):
            if (value := other_value(model._meta.get_field(field))) is not None:
                rows.filter(pk=rows.order_by("pk")[0].pk).update(**{field: value})

        assert answers(client, model) == before


def other_value(field: Any) -> Any:
    """A value that no row has; None for kinds that hold nothing secret: numbers, times and relations."""
    assert isinstance(field, Field)
    if isinstance(field, BinaryField):
        return b"\x01" * 32
    if isinstance(field, CharField | TextField):
        return "!zzz"
    if isinstance(field, ArrayField):
        return ["zzz"]
    return None


def answers(client: Client, model: type[Model]) -> dict[str, tuple[int, str]]:
    """What the admin answers to every kind of question about a model, without what is new in every answer."""
    row, fields = model._default_manager.order_by("pk")[0], sorted(hidden(model))
    columns = range(len(admin_of(model).list_display) + 2)
    queries = ["all=", "_facets=True", "_popup=1", "q=zzz", "q=md5"] + [f"o=-{column}" for column in columns]
    queries += [f"{field}{how}=zzz" for field in fields for how in ("", "__regex", "__gt", "__in")]
    queries += [f"_to_field={field}" for field in fields]
    asked = [f"{address(model, 'changelist')}?{query}" for query in queries]
    asked += [f"{address(model, page, row.pk)}?_to_field={field}" for page in ("change", "history") for field in fields]
    asked += [f"{reverse('admin:search')}?s=zzz&extended=1", f"{reverse('admin:autocomplete')}?term=zzz"]
    return {one: _kept(client.get(one)) for one in asked}


def _kept(answer: Any) -> tuple[int, str]:
    text = "" if answer.status_code >= 300 else answer.content.decode()
    lines = (line for line in text.splitlines() if "csrf" not in line.lower() and "nonce" not in line)
    return answer.status_code, re.sub(r"nonce=\"[^\"]*\"|in [\d.]+ seconds", "", "\n".join(lines))


def test_a_hash_cannot_be_read_by_asking(client: Client) -> None:
    service_key(ServiceKey.Scope.ACCESS_READ)
    client.force_login(person(role=Role.AUDITOR))

    asked = ("staff/user/?password__regex=^md5", "staff/user/?password__gt=a", "staff/servicekey/?digest__gte=a")
    assert [client.get(f"/admin/{one}").status_code for one in asked] == [400] * len(asked)


@pytest.mark.parametrize("field", ["password", "", "email", "nothing"])
def test_rows_are_named_by_their_key_alone(client: Client, field: str) -> None:
    ada = person(role=Role.ADMIN)
    client.force_login(ada)

    status = client.get(f"/admin/staff/user/{ada.pk}/change/", {"_to_field": field}).status_code

    assert status == (200 if not field else 400)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_offered_filters_still_filter(model: type[Model]) -> None:
    one_of_everything()
    changelist = admin_of(model).get_changelist_instance(asking())

    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            query = dict(parse_qsl(str(choice.get("query_string", "")).lstrip("?")))
            assert len(admin_of(model).get_changelist_instance(asking(query)).get_queryset(asking(query))) >= 0


def test_a_wrong_pattern_in_a_filter_is_no_error_of_ours(client: Client) -> None:
    client.force_login(person(role=Role.AUDITOR))

    assert client.get("/admin/review/decision/?reason__regex=[").status_code == 400


def test_paths_go_two_hops_far() -> None:
    assert any(path.count("__") == HOPS for path in paths(User))
