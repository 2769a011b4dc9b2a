"""What the `type` of an error leads to, and the document that is made from the same table."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from governance.web.problem_types import NO_TYPE, PROBLEM_TYPES, problem_type, problems_as_markdown, slug

# Whose first two arguments are a status and a title.
REFUSING = {"Problem", "RefusedRequestError", "problem"}


def titles() -> Iterator[str]:
    """Every title that the code gives a problem."""
    for file in Path(settings.BASE_DIR, "governance").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in REFUSING and len(call.args) > 1:
                title = call.args[1]
                if isinstance(title, ast.Constant):
                    yield str(title.value)


def test_the_document_is_up_to_date() -> None:
    written = (settings.BASE_DIR / "docs" / "problems.md").read_text()
    command = [sys.executable, "-m", "governance.web.problem_types"]  # as `make docs` calls it
    made = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True).stdout

    assert written == made == problems_as_markdown(), "run make docs"


def test_every_title_in_the_code_has_a_row() -> None:
    found = set(titles())

    assert len(found) > 15
    assert {slug(title) for title in found} - {one.slug for one in PROBLEM_TYPES} == set()


def test_every_title_is_a_section_of_its_own() -> None:
    slugs = [one.slug for one in PROBLEM_TYPES]

    assert len(set(slugs)) == len(slugs)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 422, 429, 500, 501, 503])
def test_a_status_without_more_has_a_section_too(status: int) -> None:
    assert "/problems/#" in problem_type(status, HTTPStatus(status).phrase)


def test_a_status_that_nothing_is_written_about_has_no_type() -> None:
    assert problem_type(418, "I'm a teapot") == NO_TYPE


@pytest.mark.django_db
def test_the_type_of_an_error_leads_to_its_section(client: Client) -> None:
    kind = client.get("/api/v1/restrictions").json()["type"]

    address, _, anchor = kind.removeprefix(settings.PUBLIC_URL).partition("#")
    assert f'id="{anchor}"' in client.get(address).content.decode()
