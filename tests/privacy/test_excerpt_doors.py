"""Every door to the text of an excerpt asks why and leaves an entry: there is one, and nothing goes past it."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client

from governance.platform.database_roles import SECRET_TABLES
from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from governance.usage.models import DataKey, Excerpt
from tests.factories import NOW, line, person, service_key
from tests.review.pages import signed_in

ROOT = Path(settings.BASE_DIR)
# Who may call what decrypts, from the inside out: the last one asks for a reason and records.
CALLERS = {
    "decrypt_excerpts": {"governance/usage/queries.py"},
    "get_excerpts": {"governance/review/actions.py"},
    "read_excerpts": {"governance/review/views.py", "governance/evidence/actions.py"},
    # Keys alone, when the installation's key is changed, and to encrypt.
    "decrypt_key": {"governance/usage/actions.py", "governance/usage/excerpts.py"},
}
# Counts and keys of rows; of these files none reads a text.
NAMING_THE_TEXT = {"governance/usage/excerpts.py", "governance/usage/admin.py", "governance/usage/models/excerpts.py"}


def sources() -> list[Path]:
    return [path for room in ("accounts", "governance") for path in (ROOT / room).rglob("*.py")]


@pytest.mark.parametrize("name", CALLERS)
def test_nothing_else_calls_what_decrypts(name: str) -> None:
    found = set()
    for path in sources():
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if name in source else ():
            is_named = isinstance(node, ast.Name) and node.id == name
            if is_named or (isinstance(node, ast.Attribute) and node.attr == name):
                found.add(str(path.relative_to(ROOT)))

    assert found == CALLERS[name]


def test_nothing_else_reads_the_encrypted_text() -> None:
    found = {
        name
        for path in sources()
        if not (name := str(path.relative_to(ROOT))).startswith("governance/privacy/rules")
        and "migrations" not in path.parts
        and "ciphertext" in path.read_text()
    }

    assert found == NAMING_THE_TEXT


def test_reports_cannot_read_the_tables() -> None:
    assert {Excerpt._meta.db_table, DataKey._meta.db_table} <= set(SECRET_TABLES)


@pytest.mark.django_db
class TestOtherDoors:
    @pytest.fixture(autouse=True)
    def _an_excerpt(self) -> None:
        from governance.usage.actions import record_lines  # noqa: PLC0415 - beside what it makes

        asked = [{"role": "user", "content": "How tall is it?"}]
        record_lines([line(messages=asked)], source="native", now=NOW)

    def test_the_admin_shows_that_there_is_one_and_not_what_it_says(self) -> None:
        client = signed_in(person(role=Role.ADMIN))
        kept = Excerpt.objects.get()

        pages = [client.get("/admin/usage/excerpt/"), client.get(f"/admin/usage/excerpt/{kept.pk}/change/")]

        assert [page.status_code for page in pages] == [200, 200]
        for page in pages:
            assert b"How tall" not in page.content
            assert bytes(kept.ciphertext).hex().encode() not in page.content
            assert b"ciphertext" not in page.content

    def test_the_admin_offers_no_export_of_them(self) -> None:
        assert admin.site._registry[Excerpt].actions == ()

    def test_the_api_has_none(self) -> None:
        _, known = service_key(*ServiceKey.Scope.values)

        for address in ("/api/v1/excerpts", "/api/v1/usage-events", "/api/v1/access/check?account=acct_harbour"):
            assert b"How tall" not in Client().get(address, **known).content
