"""A session that ended under an open page, and a CSRF token that was replaced under it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from governance.staff.roles import Role
from tests.factories import PASSWORD, case, person
from tests.review.pages import by_htmx, signed_in, text

pytestmark = pytest.mark.django_db

PAGE = "http://testserver/queue/?view=mine"


def query(response: Any, header: str) -> dict[str, list[str]]:
    assert isinstance(response, HttpResponse)
    address = urlsplit(response.headers[header])
    assert address.path == "/sign-in/"
    return parse_qs(address.query)


def ended(client: Client) -> Client:
    """Somebody whose browser still has the cookie of a session that is gone."""
    Session.objects.all().delete()
    return client


class TestAPollAfterTheSession:
    @pytest.mark.parametrize("target", ["alarm", "force", "cases", "queue", ""])
    def test_is_told_where_to_sign_in_and_leads_nowhere(self, client: Client, target: str) -> None:
        response = client.get("/queue/", headers=by_htmx(target, current="/queue/?view=mine"))

        assert response.status_code == 204
        assert "HX-Redirect" not in response
        assert query(response, "X-Sign-In") == {"next": ["/queue/?view=mine"], "ended": ["1"]}

    def test_of_somebody_shut_out_is_no_different(self) -> None:
        client = signed_in(mira := person())
        mira.is_active = False
        mira.save()

        response = client.get("/enforcement/alarm/", headers=by_htmx("alarm"))

        assert (response.status_code, "HX-Redirect" in response, "X-Sign-In" in response) == (204, False, True)


class TestALinkOrAFormAfterTheSession:
    def test_leads_to_sign_in_and_back_to_the_page(self, client: Client) -> None:
        link = client.get("/cases/next/", headers=by_htmx("case", boosted=True))
        form = client.post(f"/cases/{case().pk}/note/", {"text": "Hello"}, headers=by_htmx("history"))

        for response in (link, form):
            assert response.status_code == 401
            assert query(response, "HX-Redirect") == {"next": ["/queue/"], "ended": ["1"]}

    def test_without_htmx_leads_back_to_the_page_with_the_form(self, client: Client) -> None:
        response = client.post("/policy/propose/", {"content": "x"}, headers={"Referer": PAGE})

        assert query(response, "Location") == {"next": ["/queue/?view=mine"], "ended": ["1"]}

    @pytest.mark.parametrize("referrer", ["https://evil.example/queue/", "//evil.example", "javascript:alert(1)", ""])
    def test_leads_to_no_other_site(self, client: Client, referrer: str) -> None:
        response = client.post("/policy/propose/", {"content": "x"}, headers={"Referer": referrer})

        assert query(response, "Location")["next"] == ["/"]

    def test_of_another_site_by_htmx_leads_to_no_other_site(self, client: Client) -> None:
        headers = by_htmx("history") | {"HX-Current-URL": "https://evil.example/"}

        assert query(client.post("/policy/propose/", headers=headers), "HX-Redirect")["next"] == ["/"]


class TestTheSignInPage:
    def test_says_why_it_is_shown_where_a_session_ended(self) -> None:
        response = ended(signed_in(person())).get("/queue/?view=mine", follow=True)

        assert "Your session ended." in text(response)

    def test_says_nothing_of_it_to_a_new_visitor(self, client: Client) -> None:
        assert "Your session ended." not in text(client.get("/queue/", follow=True))

    def test_leads_back(self, client: Client) -> None:
        mira = person()
        link = client.get("/cases/next/", headers=by_htmx("case", boosted=True, current="/queue/?q=harbour"))

        response = client.post(link["HX-Redirect"], {"username": mira.email, "password": PASSWORD})

        assert response["Location"] == "/queue/?q=harbour"


class TestAnAnswerToHtmx:
    def test_names_the_user_and_a_token_that_is_taken(self) -> None:
        mira, opened = person(), case()
        client = Client(enforce_csrf_checks=True)
        client.force_login(mira)
        response = client.get("/queue/", headers=by_htmx("queue"))
        assert response["X-Stillwatch-User"] == str(mira.pk)

        headers = by_htmx("history") | {"X-CSRFToken": response["X-CSRFToken"]}
        assert client.post(f"/cases/{opened.pk}/note/", {"text": "Hello"}, headers=headers).status_code == 200

    def test_to_a_form_leaves_the_address_bar_alone(self) -> None:
        response = signed_in(person()).post(f"/cases/{case().pk}/note/", {"text": ""}, headers=by_htmx("history"))

        assert (response.status_code, response["HX-Push-Url"]) == (422, "false")

    def test_refuses_an_old_token_with_a_new_one(self) -> None:
        mira, opened = person(), case()
        client = Client(enforce_csrf_checks=True)
        client.force_login(mira)
        refused = client.post(f"/cases/{opened.pk}/note/", {"text": "Hello"}, headers=by_htmx("history"))
        assert (refused.status_code, refused["X-CSRF-Failed"]) == (403, "true")

        headers = by_htmx("history") | {"X-CSRFToken": refused["X-CSRFToken"]}
        assert client.post(f"/cases/{opened.pk}/note/", {"text": "Hello"}, headers=headers).status_code == 200

    def test_names_no_token_to_somebody_without_a_session(self) -> None:
        client = Client(enforce_csrf_checks=True)

        response = client.post("/policy/propose/", headers=by_htmx("main"))

        assert response.status_code == 401
        assert not {"X-CSRFToken", "X-CSRF-Failed", "X-Stillwatch-User"} & set(response.headers)


class TestAFormOfAnOldPage:
    def test_leads_back_to_its_page(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(person())

        response = client.post("/policy/propose/", {"content": "x"}, headers={"Referer": PAGE})

        assert response.status_code == 403
        assert 'href="/queue/?view=mine"' in text(response)

    def test_leads_to_no_other_site(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(person())

        response = client.post("/policy/propose/", {"content": "x"}, headers={"Referer": "https://evil.example/"})

        assert "evil" not in text(response)


class TestSigningOut:
    @pytest.mark.parametrize("door", ["/sign-out/", "/admin/logout/"])
    def test_has_the_sign_in_page_forget_the_drafts_of_that_user_once(self, door: str) -> None:
        ada = person("Ada Moreau", role=Role.ADMIN)
        client = signed_in(ada)

        page = client.post(door, follow=True)

        assert page.redirect_chain[-1][0] == "/sign-in/"
        assert f'data-signed-out="{ada.pk}"' in text(page)
        assert "data-signed-out" not in text(client.get("/sign-in/"))

    def test_is_not_what_a_session_that_ended_is(self) -> None:
        assert "data-signed-out" not in text(ended(signed_in(person())).get("/queue/", follow=True))
