import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from governance.web.authentication import acting_key
from governance.web.views import server_error
from tests.factories import service_key

pytestmark = pytest.mark.django_db


class TestAnErrorOfTheApi:
    def test_is_a_problem_in_the_standard_form(self, client: Client) -> None:
        response = client.get("/api/v1/access/check?account=a")

        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == 401
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_says_which_scope_is_missing(self, client: Client) -> None:
        _, known = service_key("usage:write")

        response = client.get("/api/v1/access/check?account=a", **known)

        assert "access:read" in response.json()["detail"]

    @pytest.mark.parametrize("header", ["Bearer", "Bearer wrong", "Bearer \xff\xfe", "Basic abc", "swk_1"])
    def test_is_401_for_whatever_is_no_secret(self, client: Client, header: str) -> None:
        assert client.get("/api/v1/access/check?account=a", HTTP_AUTHORIZATION=header).status_code == 401


@pytest.mark.parametrize(("path", "kind"), [("/api/v1/restrictions", "application/problem+json"), ("/", "text/html")])
def test_a_database_that_does_not_answer_in_time_is_503_in_the_form_of_whoever_asks(path: str, kind: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(10)")
    except OperationalError:
        answer = server_error(RequestFactory().get(path))

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"].startswith(kind)
    assert b"nothing was saved" in answer.content.lower()


def test_nobody_acts_without_a_service_key() -> None:
    with pytest.raises(NotAuthenticated):
        acting_key(Request(RequestFactory().post("/api/v1/restrictions")))


def test_health_needs_no_sign_in(client: Client) -> None:
    assert client.get("/health/").content == b"ok\n"


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "hex", "idna", "punycode", "undefined", "latin-1"])
@pytest.mark.parametrize("path", ["/sign-in/", "/nowhere/", "/admin/", "/api/v1/usage-events"])
def test_a_form_in_another_charset_is_refused(path: str, charset: str) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["csrftoken"] = "t" * 32

    response = client.generic("POST", path, b"a=b", f"application/x-www-form-urlencoded; charset={charset}")

    assert response.status_code == 400
    assert b"Send a form as UTF-8." in response.content


@pytest.mark.parametrize("charset", ["", "; charset=UTF-8", "; charset=nonsense"])
def test_a_form_without_a_charset_that_counts_is_read(charset: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "t" * 32
    form = f"csrfmiddlewaretoken={'t' * 32}&username=nobody%40example.com&password=a".encode()

    response = client.generic("POST", "/sign-in/", form, f"application/x-www-form-urlencoded{charset}")

    assert response.status_code == 422
