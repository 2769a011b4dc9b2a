"""An answer is one event, in whatever order LiteLLM tells that it was begun, finished and read."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from governance.usage.actions import drop_old_usage
from governance.usage.models import ReportedAnswer
from tests.factories import NOW
from tests.flows.sent_usage import LITELLM, POLLED, _at_nine, hours, key, send
from tests.usage.litellm import payload

__all__ = ["_at_nine", "key"]  # fixtures


@pytest.mark.django_db
class TestACallToLiteLlm:
    @pytest.mark.parametrize("call_type", ["aresponses", "acreate_interaction"])
    @pytest.mark.parametrize("step", [0, 7])
    def test_with_tokens_is_another_than_those_whose_answers_have_the_same_id(
        self, client: Client, key: dict[str, Any], call_type: str, step: int
    ) -> None:
        began = NOW.timestamp() - 60
        calls = [payload(id="resp_same", call_type=call_type, startTime=began + n * step) for n in range(4)]

        together = send(client, key, *calls[:2], to=LITELLM)
        later = [send(client, key, one, to=LITELLM) for one in calls[2:]]
        again = send(client, key, *calls, to=LITELLM)

        assert [answer["accepted"] for answer in (together, *later, again)] == [2, 1, 1, 0]

    @pytest.mark.parametrize("again", [POLLED, {}], ids=["polled", "sent"])
    def test_that_says_it_is_made_in_the_background_is_known_by_its_answer(
        self, client: Client, key: dict[str, Any], again: dict[str, Any]
    ) -> None:
        calls = [
            payload(id="resp_1", call_type="aresponses", model_parameters={"background": True}),
            payload(id="resp_1", **({"call_type": "aresponses"} | again)),
            payload(id="resp_1", call_type="aresponses", model_parameters={"background": True}),
        ]
        for one in calls:
            send(client, key, one, to=LITELLM)

        assert hours("team_harbour") == [(1, 812, 1403)]

    @pytest.mark.parametrize("order", list(permutations(("begun", "done", "read"))), ids="-".join)
    @pytest.mark.parametrize("batches", [1, 3])
    def test_is_one_in_whatever_order_its_answer_is_begun_finished_and_read(
        self, client: Client, key: dict[str, Any], order: tuple[str, ...], batches: int
    ) -> None:
        answers: dict[str, dict[str, Any]] = {
            "begun": {"call_type": "aresponses", "prompt_tokens": 0, "completion_tokens": 0},
            "done": {"call_type": "aresponses", "prompt_tokens": 121, "completion_tokens": 400},
            "read": {"call_type": "aget_responses", "prompt_tokens": 121, "completion_tokens": 400},
        }
        reports = [payload(id="resp_1", **answers[name]) for name in order]
        for batch in (reports,) if batches == 1 else ([one] for one in reports):
            send(client, key, *batch, to=LITELLM)

        assert hours("team_harbour") == [(1, 121, 400)]

    @pytest.mark.parametrize("batches", [1, 2])
    def test_has_the_figures_that_were_read_before_it_was_reported(
        self, client: Client, key: dict[str, Any], batches: int
    ) -> None:
        read = payload(id="resp_1", call_type="aget_responses", prompt_tokens=121, completion_tokens=400)
        begun = payload(id="resp_1", call_type="aresponses", prompt_tokens=0, completion_tokens=0)
        another = read | {"metadata": read["metadata"] | {"user_api_key_team_id": "team_quill"}, "prompt_tokens": 9}
        for batch in ([another, read, begun],) if batches == 1 else ([another, read], [begun]):
            send(client, key, *batch, to=LITELLM)

        assert hours("team_harbour") == [(1, 121, 400)]
        assert not Account.objects.filter(external_id="team_quill").exists()

    def test_has_no_figures_that_were_read_long_before(self, client: Client, key: dict[str, Any]) -> None:
        read = payload(id="resp_1", call_type="aget_responses", prompt_tokens=121, completion_tokens=400)
        send(client, key, read, to=LITELLM)

        drop_old_usage(now=NOW + timedelta(days=4))

        assert not ReportedAnswer.objects.exists()
