"""Who reads the description of the API, and how it is shown."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from governance.openapi.document import openapi_document, operations
from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from governance.web.templatetags.code import with_code
from tests.factories import person, service_key
from tests.review.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scope", ServiceKey.Scope)
def test_any_service_key_reads_it(client: Client, scope: str) -> None:
    _, known = service_key(scope)

    assert client.get("/api/v1/openapi.json", **known).json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("role", Role)
def test_everybody_who_is_signed_in_downloads_it(role: Role) -> None:
    answer = signed_in(person(role=role)).get("/api-reference/openapi.json")

    assert answer.json()["openapi"] == "3.1.0"
    assert "attachment" in answer["Content-Disposition"]


class TestThePage:
    def test_shows_every_operation_and_its_scope(self) -> None:
        page = signed_in(person()).get("/api-reference/").content.decode()

        for path, _, operation in operations(openapi_document()):
            assert f'id="{operation["operationId"]}"' in page
            assert path in page
        assert "restrictions:write" in page

    def test_loads_nothing_from_elsewhere(self) -> None:
        page = signed_in(person()).get("/api-reference/").content.decode()

        loaded = re.findall(r'(?:src|href)="([^"#]+)"', page)
        assert loaded
        assert [address for address in loaded if not address.startswith("/")] == []

    def test_asks_the_database_only_who_asks(self, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        client = signed_in(person())
        client.get("/api-reference/")

        with django_assert_max_num_queries(4):  # session, user, and two of the top bar
            client.get("/api-reference/")

    def test_shows_names_of_a_program_as_code(self) -> None:
        page = signed_in(person()).get("/api-reference/").content.decode()

        assert "<code>dry_run</code> says who would be hit" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a `b` c", "a <code>b</code> c"), ("`<b>`", "<code>&lt;b&gt;</code>"), ("<b>", "&lt;b&gt;"), ("", "")],
)
def test_a_text_with_backticks_is_shown_as_code(text: str, shown: str) -> None:
    assert with_code(text) == shown
