"""Every table in the admin: to be found, read and searched, and not to be changed."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from tests.everything import one_of_everything
from tests.factories import NOW, person

pytestmark = pytest.mark.django_db

OURS = {
    *(
        "accounts",
        "audit",
        "campaigns",
        "configuration",
        "detection",
        "gateways",
        "overview",
        "policies",
        "restrictions",
        "review",
        "staff",
        "usage",
    ),
    "webhooks",
}
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in OURS), key=lambda model: model._meta.label
)


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def first(model: type[Model]) -> Any:
    row = model._default_manager.first()
    assert row is not None, model
    return row.pk


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(person("Ines Varga", role=Role.AUDITOR))
    return client


@pytest.fixture
def _one_of_everything() -> None:
    one_of_everything()


class TestTheAdmin:
    def test_shows_every_table_of_ours(self) -> None:
        ours = {model._meta.label for model in apps.get_models() if model._meta.app_label in OURS}

        assert {model._meta.label for model in MODELS} == ours

    @pytest.mark.usefixtures("_one_of_everything")
    def test_lists_and_shows_a_row_of_each(self, auditor: Client) -> None:
        lists = {address(model, "changelist") for model in MODELS}
        rows = {address(model, "change", first(model)) for model in MODELS}

        answers = {page: auditor.get(page).status_code for page in lists | rows}

        assert answers == dict.fromkeys(lists | rows, 200)

    @pytest.mark.usefixtures("_one_of_everything")
    def test_searches_each(self, auditor: Client) -> None:
        lists = [address(model, "changelist") for model in MODELS]

        answers = {page: auditor.get(page, {"q": "harbour"}).status_code for page in lists}

        assert answers == dict.fromkeys(lists, 200)

    @pytest.mark.usefixtures("_one_of_everything")
    def test_shows_a_day_of_what_is_listed_by_time(self, auditor: Client) -> None:
        dated = {model: field for model in MODELS if (field := admin.site._registry[model].date_hierarchy)}
        day = {"year": NOW.year, "month": NOW.month, "day": NOW.day}

        answers = {
            model: auditor.get(address(model, "changelist"), {f"{field}__{part}": day[part] for part in day})
            for model, field in dated.items()
        }

        assert len(dated) >= 3
        assert {model: answer.context["cl"].result_count for model, answer in answers.items()} == {
            model: model._default_manager.filter(**{f"{field}__date": NOW}).count() for model, field in dated.items()
        }

    def test_has_no_further_page_of_a_search_than_was_found(self, auditor: Client) -> None:
        found = [auditor.get("/admin/search/", {"s": "account", "page": page}) for page in ("1", "99", "x")]

        assert [page.status_code for page in found] == [200, 404, 404]

    def test_serves_what_is_no_page_as_it_is(self, auditor: Client) -> None:
        script = auditor.get("/admin/jsi18n/")

        assert script["Content-Type"].startswith("text/javascript")
        assert b"django" in script.content

    @pytest.mark.usefixtures("_one_of_everything")
    def test_lets_nobody_add_change_or_delete_a_row(self, client: Client) -> None:
        client.force_login(person("Ada Moreau", role=Role.ADMIN))
        forms = [address(model, "add") for model in MODELS]
        posts = [address(model, page, first(model)) for model in MODELS for page in ("change", "delete")]

        answers = {page: client.get(page).status_code for page in forms}
        answers |= {page: client.post(page, {"post": "yes"}).status_code for page in posts}

        assert answers == dict.fromkeys([*forms, *posts], 403)

    @pytest.mark.usefixtures("_one_of_everything")
    def test_never_shows_a_digest_or_a_ciphertext(self, auditor: Client) -> None:
        key = ServiceKey.objects.get()

        page = auditor.get(address(ServiceKey, "change", key.pk)).content.decode()

        assert "Digest" not in page

    def test_is_closed_to_a_reviewer(self, client: Client) -> None:
        client.force_login(person(role=Role.REVIEWER))

        assert client.get("/admin/", follow=True).status_code == 403

    def test_leads_somebody_unknown_to_the_one_sign_in(self, client: Client) -> None:
        chain = client.get("/admin/", follow=True).redirect_chain

        assert chain[-1][0].startswith("/sign-in/?next=/admin/")

    def test_shows_a_person_by_name_and_e_mail_address(self, client: Client) -> None:
        ada = person("Ada Quist", role=Role.ADMIN)
        client.force_login(ada)

        page = client.get("/admin/").content.decode()

        assert page.count(ada.email) == 1
        assert page.count("Ada Quist") == 1
