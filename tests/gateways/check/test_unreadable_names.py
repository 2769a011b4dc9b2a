"""A name that cannot be read is refused, in the way of the protocol."""

import json
from typing import Any

import pytest

from tests.front import Served, served
from tests.gateways.check.requests_by_protocol import block, raw

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
