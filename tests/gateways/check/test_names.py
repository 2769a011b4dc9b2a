"""The names in a request to the check: every reading of every value counts."""

import hashlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.utils import timezone

from tests.factories import account, api_key, restriction
from tests.front import Served
from tests.gateways.check.requests_by_protocol import EVERYWHERE, HEADERS, SECRET, block, by_query, raw

HARD = ["acct_ü", "акт_1", "客户", "acct 1042", "a,b", "100%", "50%25", "a+b", "a&b=c", "a%41", "ключ,100%"]


def blocked(front: Served, *names: str) -> None:
    for name in names:
        number = block(name)
    front.knows(number)


class TestANameThatIsNotPlain:
    @pytest.mark.parametrize("ask", EVERYWHERE)
    def test_is_found_percent_encoded_by_every_protocol(self, front: Served, ask: Callable[..., bool]) -> None:
        blocked(front, *HARD)

        assert [name for name in HARD if ask(front, quote(name, safe="").encode())] == []
        assert ask(front, quote("acct_ö", safe="").encode())

    @pytest.mark.parametrize("ask", EVERYWHERE)
    def test_is_found_as_it_is(self, front: Served, ask: Callable[..., bool]) -> None:
        blocked(front, *HARD)

        assert [name for name in HARD if ask(front, name.encode())] == []

    @pytest.mark.parametrize("ask", HEADERS)
    def test_is_found_in_latin_1(self, front: Served, ask: Callable[..., bool]) -> None:
        blocked(front, "acct_ü")

        assert not ask(front, "acct_ü".encode("latin-1"))
        assert not ask(front, b"acct_%FC")

    @pytest.mark.parametrize("ask", EVERYWHERE)
    def test_is_found_whatever_form_of_unicode_it_has(self, front: Served, ask: Callable[..., bool]) -> None:
        blocked(front, "acct_\u00fc")

        assert not ask(front, quote("acct_u\u0308").encode())

    def test_is_found_by_a_digest_in_capitals(self, front: Served) -> None:
        key = api_key(account("acct_harbour"), "key_1")
        key.digest = hashlib.sha256(SECRET.encode()).digest()
        key.save()
        front.knows(restriction(key, at=timezone.now()).number)
        digest = hashlib.sha256(SECRET.encode()).hexdigest().upper()

        assert front.check(key_digest=digest)["decision"] == "deny"
        assert raw(front, "/access/nginx", ("X-Stillwatch-Key-Digest", digest.encode())).status == 403


class TestSeveralNames:
    @pytest.mark.parametrize("ask", [*HEADERS, by_query])
    def test_are_denied_where_any_is_restricted(self, front: Served, ask: Callable[..., bool]) -> None:
        blocked(front, "acct_bad")

        assert not ask(front, b"acct_bad", b"acct_good")
        assert not ask(front, b"acct_good", b"acct_bad")
        assert not ask(front, b"acct_good", b"acct_bad", b"acct_fine")
        assert ask(front, b"acct_good", b"acct_fine")

    @pytest.mark.parametrize("ask", HEADERS)
    @pytest.mark.parametrize("value", ["acct_good,acct_bad", "acct_bad , acct_good", "acct_good,\tacct_bad,acct_fine"])
    def test_in_one_header_are_denied_where_any_is_restricted(
        self, front: Served, ask: Callable[..., bool], value: str
    ) -> None:
        blocked(front, "acct_bad")

        assert not ask(front, value.encode())
        assert ask(front, value.replace("bad", "kind").encode())

    @pytest.mark.parametrize(
        "body", ['{"account": "acct_bad", "account": "a"}', '{"account": "a", "account": "acct_bad"}']
    )
    def test_in_one_document_are_denied_where_any_is_restricted(self, front: Served, body: str) -> None:
        blocked(front, "acct_bad")

        assert front.ask("/access/check", method="POST", text=body).json["decision"] == "deny"

    @pytest.mark.parametrize("ask", HEADERS)
    @pytest.mark.parametrize(
        "value", ["{}", "acct_good, {}", "{},acct_good", "a,{} , b", ",".join("abcdefghijk") + ",{}"]
    )
    @pytest.mark.parametrize("name", ["acme, inc", "acme,inc"])
    def test_in_one_header_are_denied_where_a_restricted_one_has_a_comma(
        self, front: Served, ask: Callable[..., bool], value: str, name: str
    ) -> None:
        blocked(front, "acme, inc")

        assert not ask(front, value.format(name).encode())
        assert ask(front, value.format("acme,inch").encode())

    @pytest.mark.parametrize("good_first", [True, False])
    @pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
    def test_by_two_shown_keys_are_denied_where_any_is_restricted(
        self, front: Served, header: str, *, good_first: bool
    ) -> None:
        key = api_key(account("acct_harbour"), "key_1")
        key.digest = hashlib.sha256(SECRET.encode()).digest()
        key.save()
        front.knows(restriction(key, at=timezone.now()).number)
        scheme = "Bearer " if header == "Authorization" else ""
        shown = [f"{scheme}{secret}".encode() for secret in (SECRET, "sk-good")]
        shown = shown[::-1] if good_first else shown

        repeated = raw(front, "/access/nginx", *((header, value) for value in shown))
        joined = raw(front, "/access/nginx", (header, b", ".join(shown)))

        assert (repeated.status, joined.status) == (403, 403)


class TestNoName:
    @pytest.mark.parametrize("nothing", ["None", "null", ""])
    def test_is_what_litellm_writes_for_a_team_or_an_organisation_that_is_none(
        self, front: Served, nothing: str
    ) -> None:
        front.knows(block("user_7"))
        asked = {"user_api_key_team_id": nothing, "user_api_key_org_id": nothing, "user_api_key_user_id": "user_7"}

        said = front.ask("/beta/litellm_basic_guardrail_api", method="POST", body={"request_data": asked})

        assert said.json["action"] == "BLOCKED"

    def test_is_refused_to_gateways_that_decide_by_headers(self, front: Served) -> None:
        nginx, envoy = raw(front, "/access/nginx"), raw(front, "/access/envoy/v1")

        assert (nginx.status, envoy.status) == (401, 401)
        assert "API key" in envoy.json["error"]["message"]

    @pytest.mark.parametrize("authorization", [b"Basic eA==", b"Bearer", b"Token x"])
    def test_is_what_a_credential_of_another_kind_says(self, front: Served, authorization: bytes) -> None:
        assert raw(front, "/access/nginx", ("Authorization", authorization)).status == 401
