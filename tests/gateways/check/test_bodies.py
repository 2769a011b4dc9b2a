"""The bodies of questions: read only from those who may ask, and read whatever a customer has put into them."""

import json
import socket
import tracemalloc
from typing import Any

import pytest
from django.utils import timezone

from governance.gateways.check.json_nesting import DEEPEST, NEXT_BRACKET, replace_deep_values
from governance.gateways.check.protocols.litellm import PROTOCOL as LITELLM
from governance.gateways.check.request_parsing import MOST_READ_LENIENTLY, Request
from tests.factories import account, restriction
from tests.front import Served
from tests.waiting import PATIENCE

GUARDRAIL = "/beta/litellm_basic_guardrail_api"
DEPTHS = [1_000, 50_000]


def nested(depth: int, kind: str) -> str:
    return "[" * depth + "]" * depth if kind == "array" else '{"a":' * depth + "1" + "}" * depth


def opened(front: Served, head: str) -> bytes:
    """What is answered to the head of a request whose body never comes."""
    with socket.create_connection(("127.0.0.1", front.port), timeout=PATIENCE) as caller:
        caller.sendall(head.replace("\n", "\r\n").encode())
        return caller.recv(4096)


@pytest.mark.parametrize("kind", ["array", "object"])
@pytest.mark.parametrize("depth", DEPTHS)
class TestJsonThatIsNestedDeep:
    """A customer chooses what a prompt holds, so it must change no answer."""

    def test_changes_no_answer_to_litellm(self, front: Served, depth: int, kind: str) -> None:
        front.knows(restriction(account("team_mole"), at=timezone.now()).number)

        def action(team: str) -> str:
            metadata = json.dumps({"user_api_key_team_id": team})
            text = f'{{"texts": {nested(depth, kind)}, "request_data": {metadata}, "more": {nested(depth, kind)}}}'
            return str(front.ask(GUARDRAIL, method="POST", text=text, x_api_key=front.secret).json["action"])

        assert (action("team_mole"), action("team_good")) == ("BLOCKED", "NONE")

    def test_changes_no_answer_of_the_check(self, front: Served, depth: int, kind: str) -> None:
        front.knows(restriction(account("acct_mole"), at=timezone.now()).number)
        depth = min(depth, 5_000)  # its bodies are short

        def decision(name: str) -> str:
            text = f'{{"more": {nested(depth, kind)}, "account": "{name}"}}'
            return str(front.ask("/access/check", method="POST", text=text).json["decision"])

        assert (decision("acct_mole"), decision("acct_good")) == ("deny", "allow")


class TestCuttingWhatIsNestedDeep:
    @pytest.mark.parametrize(
        "deep", ['["]"]', '{"[": "}"}', '["\\"]"]', '["\\\\", [[]]]'], ids=["bracket", "member", "quote", "backslash"]
    )
    def test_is_not_misled_by_brackets_in_strings(self, deep: str) -> None:
        wrapped = '{"before": "a", "in": ' + "[" * DEEPEST + deep + "]" * DEEPEST + ', "after": {"b": [1]}}'

        read = json.loads(replace_deep_values(wrapped.encode()))

        assert (read["before"], read["after"]) == ("a", {"b": [1]})

    def test_leaves_the_rest_as_it_is(self) -> None:
        document = json.dumps({"a": [{"b": ["c", "]", '"']}], "d": "{"}).encode()

        assert replace_deep_values(document) == document

    @pytest.mark.parametrize("document", [b"[" * 5_000, b"]" * 5_000, b'{"a":' * 5_000, b'"' + b"[" * 5_000, b""])
    def test_makes_no_json_of_what_is_none(self, document: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            json.loads(replace_deep_values(document))

    @pytest.mark.parametrize("rest", [b"a", b'\\"', b'"', b" ", b"\\", b",", b'"a",'])
    @pytest.mark.parametrize("path", ["/access/check", "/api/v1/access/changes", GUARDRAIL])
    def test_keeps_nobody_waiting_where_it_never_ends(self, front: Served, path: str, rest: bytes) -> None:
        """Looking for a bracket again from each byte took hours for a body of this size."""
        most = 60_000 if path == "/access/check" else 1_000_000
        body = b'{"x":' + b"[" * 1_500 + rest * (most // len(rest))

        answer = front.ask(path, method="POST", text=body.decode(), x_api_key=front.secret)

        assert answer.status == 400 or answer.json["action"] == "BLOCKED"

    def test_is_refused_where_it_would_take_long(self, front: Served) -> None:
        many = "[" * 1_000 + "[]," * 1_000_000 + "1" + "]" * 1_000
        text = f'{{"texts": {many}, "request_data": {{"user_api_key_team_id": "team_good"}}}}'

        assert front.ask(GUARDRAIL, method="POST", text=text, x_api_key=front.secret).json["action"] == "BLOCKED"


# What customers' programs send, and no parser of JSON takes: half of a surrogate pair, and a number that is none.
NO_JSON = {"half": '"\\ud800"', "nan": "NaN"}


@pytest.mark.parametrize("wrong", NO_JSON.values(), ids=NO_JSON)
class TestJsonThatIsNone:
    """A customer chooses what a prompt holds, and how long it is."""

    def body(self, wrong: str, filling: str, team: str = "team_good") -> str:
        metadata = json.dumps({"user_api_key_team_id": team, "more": {"a": [1, {"b": 2}]}})
        return f'{{"texts": [{wrong}{filling}], "request_data": {metadata}, "more": [[1], {{"a": {wrong}}}]}}'

    def action(self, front: Served, text: str) -> str:
        return str(front.ask(GUARDRAIL, method="POST", text=text, x_api_key=front.secret).json["action"])

    @pytest.mark.parametrize("filling", ["", ', "a", {"b": []}', ',""' * 3_000, ',"["' * 3_000], ids=range(4))
    def test_changes_no_answer(self, front: Served, wrong: str, filling: str) -> None:
        front.knows(restriction(account("team_mole"), at=timezone.now()).number)

        bodies = [self.body(wrong, filling, team) for team in ("team_mole", "team_good")]

        assert [self.action(front, body) for body in bodies] == ["BLOCKED", "NONE"]

    @pytest.mark.parametrize("one", [',""', ",1.5", ',"ab"'])
    def test_makes_no_objects_of_what_customers_send(self, wrong: str, one: str) -> None:
        text = self.body(wrong, one * 300_000).encode()
        tracemalloc.start()
        try:
            query = LITELLM.query(request(text))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert query.names == ["account:team_good"]
        assert most < 500_000

    @pytest.mark.parametrize("one", [",[[]]", ',{"":1}'])
    def test_is_refused_where_it_would_take_long(self, front: Served, wrong: str, one: str) -> None:
        assert self.action(front, self.body(wrong, one * 600_000)) == "BLOCKED"

    def test_is_refused_where_too_much_lies_outside_of_lists(self, front: Served, wrong: str) -> None:
        text = self.body(wrong, "")[:-1] + f', "text": "{"a" * MOST_READ_LENIENTLY}"}}'

        assert self.action(front, text) == "BLOCKED"


def request(body: bytes) -> Request:
    made = Request({"method": "POST", "path": GUARDRAIL, "query_string": b"", "headers": []})
    made.body = body
    return made


def test_no_thread_is_kept_waiting_by_many_strings() -> None:
    """No other thread runs during a match."""
    document = b'{"a": [' + b'"",' * 5_000 + b'""]}'

    assert len(list(NEXT_BRACKET.finditer(document))) > 5
    assert replace_deep_values(document, deepest_array=1) == b'{"a": null}'


class TestABodyWithoutAUsableKey:
    @pytest.mark.parametrize("path", ["/access/check", GUARDRAIL, "/api/v1/access/changes"])
    @pytest.mark.parametrize("key", ["", "Authorization: Bearer swk_wrong\n"])
    @pytest.mark.parametrize("length", ["Content-Length: 2000", "Transfer-Encoding: chunked"])
    def test_is_refused_before_it_is_read(self, front: Served, path: str, key: str, length: str) -> None:
        assert b" 401 " in opened(front, f"POST {path} HTTP/1.1\nHost: a\n{key}{length}\n\n")

    def test_is_refused_before_it_is_read_where_it_is_too_long(self, front: Served) -> None:
        head = f"POST /access/check HTTP/1.1\nHost: a\nAuthorization: Bearer {front.secret}\n"

        assert b" 413 " in opened(front, f"{head}Content-Length: 65537\n\n")


def test_a_body_without_a_length_is_received_up_to_the_same_limit(front: Served) -> None:
    head = f"POST /access/check HTTP/1.1\nHost: a\nAuthorization: Bearer {front.secret}\n"

    assert b" 413 " in opened(front, f"{head}Transfer-Encoding: chunked\n\n10001\n{'a' * 65_537}\n")


def test_a_body_that_does_not_come_is_given_up(front: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.gateways.check.waiting.BODY_SECONDS", 0.05)

    said = opened(
        front, f"POST /access/check HTTP/1.1\nHost: a\nAuthorization: Bearer {front.secret}\nContent-Length: 9\n\n{{"
    )

    assert b" 408 " in said


@pytest.mark.parametrize("body", ["", "[", "[]", "1", '{"account": "a"', "\x00"])
def test_what_is_no_json_object_is_refused(front: Served, body: Any) -> None:
    assert front.ask("/access/check", method="POST", text=body).status == 400
