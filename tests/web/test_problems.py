import pytest
from django.test import Client

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


def test_health_needs_no_sign_in(client: Client) -> None:
    assert client.get("/health/").content == b"ok\n"
