"""The words: one source, the page and the document that are made from it."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from governance.restrictions.models import Restriction
from governance.staff.roles import Role
from governance.web.glossary import GLOSSARY, glossary_as_markdown
from tests.factories import person
from tests.review.pages import signed_in, text

WORDS = [word for group in GLOSSARY for word in group.words]


def test_the_document_is_up_to_date() -> None:
    written = (settings.BASE_DIR / "docs" / "glossary.md").read_text()
    command = [sys.executable, "-m", "governance.web.glossary"]  # as `make docs` calls it
    made = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True).stdout

    assert written == made == glossary_as_markdown(), "run make docs"


def test_every_word_is_explained_once_in_a_short_sentence() -> None:
    names = [word.name for word in WORDS]

    assert len(names) == len(set(names))
    assert [word.name for word in WORDS if not word.meaning.endswith(".") or len(word.meaning) > 110] == []


def test_every_kind_of_restriction_is_explained() -> None:
    assert set(Restriction.Kind) <= {word.name for word in WORDS}


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_everybody_can_read_the_words(role: Role, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = signed_in(person(role=role))

    with django_assert_max_num_queries(12):
        page = text(client.get(reverse("words")))

    for word in WORDS:
        assert f"<dt>{word.name}</dt><dd>{word.meaning}</dd>" in page
