"""The names in a question to the hot check: every reading of every value counts, and what cannot be read is refused."""

import hashlib
import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from governance.gateways.check.registered_accounts import RegisteredAccounts
from governance.gateways.check.sql import connect
from tests.factories import account, api_key, restriction
from tests.front import Said, Served, served
from tests.waiting import wait_until

SECRET = "sk-of-the-customer"
HARD = ["acct_ü", "акт_1", "客户", "acct 1042", "a,b", "100%", "50%25", "a+b", "a&b=c", "a%41", "ключ,100%"]


def block(name: str) -> int:
    return restriction(account(name), at=timezone.now()).number


def blocked(front: Served, *names: str) -> None:
    for name in names:
        number = block(name)
    front.knows(number)


def raw(front: Served, path: str, *headers: tuple[str, bytes]) -> Said:
    """With headers as bytes, in this order, repeated where they are."""
    caller = HTTPConnection("127.0.0.1", front.port, timeout=30)
    try:
        caller.putrequest("GET", path)
        for name, value in [("X-Stillwatch-Key", front.secret.encode()), *headers]:
            caller.putheader(name, value)
        caller.endheaders()
        answer = caller.getresponse()
        return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        caller.close()


def by_nginx(front: Served, *values: bytes) -> bool:
    """Whether a request with these names of accounts is allowed."""
    return raw(front, "/access/nginx", *(("X-Stillwatch-Account", value) for value in values)).status == 204


def by_envoy(front: Served, *values: bytes) -> bool:
    return raw(front, "/access/envoy/v1", *(("X-Stillwatch-Account", value) for value in values)).status == 200


def by_query(front: Served, *values: bytes) -> bool:
    query = "&".join(f"account={quote(value)}" for value in values)
    said = front.ask(f"/access/check?{query}")
    return said.status == 200 and bool(said.json["decision"] == "allow")


def by_litellm(front: Served, value: bytes) -> bool:
    body = {"request_data": {"user_api_key_team_id": value.decode()}}
    return bool(front.ask("/beta/litellm_basic_guardrail_api", method="POST", body=body).json["action"] == "NONE")


def by_json(front: Served, value: bytes) -> bool:
    said = front.ask("/access/check", method="POST", body={"account": value.decode()})
    return said.status == 200 and bool(said.json["decision"] == "allow")


HEADERS: list[Callable[..., bool]] = [by_nginx, by_envoy]
EVERYWHERE: list[Callable[..., bool]] = [*HEADERS, by_query, by_litellm, by_json]


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


class TestAShownKey:
    @pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
    @pytest.mark.parametrize(
        "shown",
        ["Bearer {}", "bearer\t{} ", "Bearer Bearer {}", "Token {}", "ApiKey {}", "Bearer: {}", "a b c d e f {}"],
    )
    def test_is_found_behind_the_words_before_it_whatever_else_is_shown(
        self, front: Served, header: str, shown: str
    ) -> None:
        key = api_key(account("acct_harbour"), "key_1")
        key.digest = hashlib.sha256(SECRET.encode()).digest()
        key.save()
        front.knows(restriction(key, at=timezone.now()).number)
        good = ("X-Api-Key" if header == "Authorization" else "Authorization", b"sk-good")

        def status(secret: str) -> int:
            return raw(front, "/access/nginx", (header, shown.format(secret).encode()), good).status

        assert (status(SECRET), status("sk-fine")) == (403, 204)


UNREADABLE = [b"%20", b"%E3%80%80", b"%E2%80%8B", b"", b"a,", b",a", b"a" * 201, b"%C3%BC" * 201, b"a,,b"]


NO_NAMES: list[Any] = ["  ", "\t", "\u3000", "\u200b", "%20", 0, 0.0, False, True, [], {}]
BLANK = [json.dumps({"account": value, "api_key": "k"}) for value in NO_NAMES]


class TestANameThatCannotBeRead:
    @pytest.mark.parametrize("value", UNREADABLE)
    def test_is_refused_in_the_way_of_the_protocol(self, front: Served, value: bytes) -> None:
        nginx = raw(front, "/access/nginx", ("X-Stillwatch-Account", value))
        envoy = raw(front, "/access/envoy/v1", ("X-Stillwatch-Account", value))

        assert (nginx.status, envoy.status) == (403, 400)
        assert "cannot be read" in envoy.json["error"]["message"]

    @pytest.mark.parametrize("value", UNREADABLE)
    def test_takes_nothing_from_what_another_name_says(self, front: Served, value: bytes) -> None:
        number = block("acct_bad")
        front.knows(number)

        both = raw(front, "/access/nginx", ("X-Stillwatch-Account", b"acct_bad"), ("X-Stillwatch-Account", value))

        assert both.status == 403
        assert both.headers["x-stillwatch-restriction"] == str(number)

    @pytest.mark.parametrize(
        "body", ['{"account": "%s"}' % ("a" * 201), '{"account": "\\ud800"}', '{"account": ["a"]}', *BLANK]
    )
    def test_is_refused_with_400_as_json(self, front: Served, body: str) -> None:
        said = front.ask("/access/check", method="POST", text=body)

        assert said.status == 400
        assert said.headers["content-type"] == "application/problem+json"

    def test_is_neither_null_nor_empty(self, front: Served) -> None:
        said = front.ask("/access/check", method="POST", body={"account": None, "organisation": "", "api_key": "k"})

        assert said.json["decision"] == "allow"
        assert front.ask("/access/check?account=&api_key=k").json["decision"] == "allow"

    @pytest.mark.parametrize(
        "body",
        [
            json.dumps({"request_data": {"user_api_key_team_id": "%20"}}),
            json.dumps({"request_data": {"user_api_key_team_id": "t" * 201}}),
            json.dumps({"request_data": {"user_api_key_team_id": 7}}),
            json.dumps({"request_data": []}),
            "{",
        ],
    )
    def test_is_blocked_at_litellm_which_might_let_in_after_an_error(self, front: Served, body: str) -> None:
        said = front.ask("/beta/litellm_basic_guardrail_api", method="POST", text=body)

        assert (said.status, said.json["action"]) == (200, "BLOCKED")

    def test_is_an_outage_to_a_gateway_where_its_operator_has_chosen_so(self, transactional_db: None) -> None:
        with served(unreadable_as_outage=True) as front:
            number = block("acct_bad")
            front.knows(number)
            unreadable = ("X-Stillwatch-Account", b"")
            nginx = raw(front, "/access/nginx", unreadable)
            envoy = raw(front, "/access/envoy", unreadable)
            litellm = front.ask(
                "/beta/litellm_basic_guardrail_api",
                method="POST",
                body={"request_data": {"user_api_key_team_id": "t" * 201}},
            )
            denied = raw(front, "/access/envoy", unreadable, ("X-Stillwatch-Account", b"acct_bad"))

        assert (nginx.status, envoy.status, litellm.status) == (503, 503, 503)
        assert denied.status == 403


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


class TestWhetherAnAccountIsKnown:
    def test_is_said_of_accounts_and_of_nothing_else(self, front: Served) -> None:
        block("acct_bad")
        account("acct_ü")
        api_key(account("acct_good"), "key_1")

        def known(**names: str) -> Any:
            return front.check(**names)["known"]

        wait_until(lambda: known(account="acct_good") is True, "the account is known")

        assert known(account="acct_bad") is True
        assert known(account="acct_%C3%BC") is True
        assert known(account="acct_nobody") is False
        assert known(api_key="key_1") is None
        assert known(api_key="key_1", account="acct_nobody") is False

    def test_is_not_said_without_the_database(self) -> None:
        registered = RegisteredAccounts()

        assert registered.is_registered(["account:acct_1"]) is None

    @pytest.mark.django_db(transaction=True)
    def test_misses_no_account_that_was_committed_after_later_ones(self) -> None:
        registered = RegisteredAccounts()
        with connect() as reader, connect() as slow, connect() as quick:
            slow.execute("BEGIN")
            add(slow, "acct_slow")
            add(quick, "acct_quick")
            for _ in range(3):
                registered.read(reader)
            before = "acct_slow" in registered
            slow.execute("COMMIT")
            quick.execute("SELECT pg_current_xact_id()")  # as anything else does on the same servers
            registered.read(reader)
            for number in range(3):
                add(quick, f"acct_{number}")
                registered.read(reader)

        assert not before
        assert all(name in registered for name in ("acct_slow", "acct_quick", "acct_0", "acct_2"))
        assert len(registered) == 5

    @pytest.mark.django_db(transaction=True)
    def test_holds_many_accounts(self) -> None:
        registered = RegisteredAccounts()
        with connect() as database:
            for first in (0, 25_000, 26_000):
                database.execute(MANY, {"first": first})
                registered.read(database)

        assert len(registered) == 51_000
        assert all(f"acct_{number}" in registered for number in range(0, 51_000, 100))
        assert "acct_51000" not in registered


MANY = """
    INSERT INTO accounts_account (external_id, status, plan, declared_use, country, email_domain, payment_fingerprint,
                                  first_seen_at)
    SELECT 'acct_' || n, 'open', '', '', '', '', '', now()
    FROM generate_series(%(first)s::int, %(first)s::int + 24999) n
    ON CONFLICT DO NOTHING
"""


def add(database: Any, name: str) -> None:
    database.execute(MANY.partition("SELECT")[0] + "SELECT %s, 'open', '', '', '', '', '', now()", [name])


AROUND = [
    b"Bearer %s x",
    b"Bearer %s;",
    b'Bearer "%s"',
    b"Bearer:%s",
    b"Bearer=%s",
    b"Bearer %s,Bearer good",
    b"good, %s",
]


class TestAKeyWithSomethingAroundIt:
    @pytest.fixture(autouse=True)
    def _blocked(self, front: Served) -> None:
        owner = account("acct_harbour")
        for name in ("sk-blocked", "sk,comma"):
            key = api_key(owner, name)
            key.digest = hashlib.sha256(name.encode()).digest()
            key.save()
        front.knows(restriction(owner, at=timezone.now()).number)

    @pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
    def test_is_found_by_nginx_and_envoy(self, front: Served, header: str) -> None:
        ways = [way % key for way in AROUND for key in (b"sk-blocked", b"sk,comma")]
        paths = ("/access/nginx", "/access/envoy/v1")

        assert [way for way in ways for path in paths if raw(front, path, (header, way)).status != 403] == []
        two = [(header, b"Bearer sk,comma"), (header, b"Bearer good")]
        assert raw(front, "/access/nginx", *two).status == raw(front, "/access/nginx", *two[::-1]).status == 403

    def test_among_more_words_than_are_looked_at_cannot_be_read(self, front: Served) -> None:
        header = ("Authorization", b"Bearer " + b"x " * 64 + b"y")

        assert raw(front, "/access/nginx", header).status == 403
        assert raw(front, "/access/envoy/v1", header).status == 400
