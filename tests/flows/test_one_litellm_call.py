"""A call to LiteLLM is one event, however often LiteLLM tells of it and of its answer."""

from typing import Any, ClassVar

import pytest
from django.test import Client

from accounts.models import Account
from governance.usage.actions import compact_profiles
from governance.usage.models import DirtyAccount, HourlyProfile, UsageEvent
from tests.flows.sent_usage import LITELLM, POLLED, _at_nine, hours, key, send
from tests.usage.litellm import failure, payload

__all__ = ["_at_nine", "key"]  # fixtures


@pytest.mark.django_db
class TestAnAnswerMadeInTheBackground:
    BEGUN: ClassVar[dict[str, Any]] = {
        "id": "resp_1",
        "call_type": "aresponses",
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }
    DONE: ClassVar[dict[str, Any]] = {
        "id": "resp_1",
        "call_type": "aresponses",
        "prompt_tokens": 121,
        "completion_tokens": 400,
    }

    @pytest.mark.parametrize("done", [DONE, DONE | POLLED], ids=["sent again", "polled"])
    @pytest.mark.parametrize("batches", [1, 2])
    def test_counts_once_with_its_figures_and_its_question(
        self, client: Client, key: dict[str, Any], done: dict[str, Any], batches: int
    ) -> None:
        begun, done = payload(**self.BEGUN), payload(**done)
        for batch in ([begun, done],) if batches == 1 else ([begun], [done]):
            send(client, key, *batch, to=LITELLM)

        event = UsageEvent.objects.get()
        assert (event.input_tokens, event.output_tokens) == (121, 400)
        assert event.prompt_digest is not None
        assert hours("team_harbour") == [(1, 121, 400)]

    def test_counts_once_however_often_it_is_told_and_polled(self, client: Client, key: dict[str, Any]) -> None:
        reports = [payload(**self.BEGUN), payload(**self.DONE), *(payload(**self.DONE | POLLED) for _ in range(3))]
        for one in (*reports, *reports):
            send(client, key, one, to=LITELLM)

        assert hours("team_harbour") == [(1, 121, 400)]

    def test_has_its_account_scored_again_when_its_figures_come(self, client: Client, key: dict[str, Any]) -> None:
        send(client, key, payload(**self.BEGUN), to=LITELLM)
        before = DirtyAccount.objects.get().version

        send(client, key, payload(**self.DONE), to=LITELLM)

        assert DirtyAccount.objects.get().version > before

    def test_leaves_the_rhythm_of_requests_as_it_was(self, client: Client, key: dict[str, Any]) -> None:
        send(client, key, payload(**self.BEGUN), to=LITELLM)
        send(client, key, payload(**self.DONE), to=LITELLM)

        compact_profiles([Account.objects.get().pk])

        assert HourlyProfile.objects.get().gaps == 0


@pytest.mark.django_db
class TestACallToLiteLlm:
    def test_is_another_than_one_whose_answer_has_the_same_id(self, client: Client, key: dict[str, Any]) -> None:
        answer = send(client, key, *(payload(id="chatcmpl-1") for _ in range(3)), to=LITELLM)

        assert answer["accepted"] == 3

    @pytest.mark.parametrize("nothing", ["None", "", None])
    def test_is_another_than_one_without_an_id_too(self, client: Client, key: dict[str, Any], nothing: Any) -> None:
        answer = send(client, key, *(payload(id=nothing) for _ in range(3)), to=LITELLM)

        assert answer["accepted"] == 3

    def test_is_the_same_when_it_is_told_again(self, client: Client, key: dict[str, Any]) -> None:
        reports = [payload(id="chatcmpl-1"), payload(id="chatcmpl-1"), payload(id="None"), failure(error_code="500")]
        send(client, key, *reports, to=LITELLM)

        answer = send(client, key, *reports, to=LITELLM)

        assert (answer["accepted"], answer["duplicate"]) == (0, 4)

    @pytest.mark.parametrize(
        "call_type",
        ["aget_responses", "get_responses", "alist_input_items", "acancel_responses", "adelete_responses",
         "avideo_retrieve", "aretrieve_fine_tuning_job"],
    )  # fmt: skip
    def test_that_only_reads_an_answer_is_no_request(self, client: Client, key: dict[str, Any], call_type: str) -> None:
        made = payload(id="resp_made", call_type="aresponses")
        reads = [payload(id=f"resp_read_{number}", call_type=call_type) for number in range(3)]

        send(client, key, *reads, to=LITELLM)
        send(client, key, made, *reads, to=LITELLM)

        assert UsageEvent.objects.get().event_id == "resp_made"

    @pytest.mark.parametrize("begun", [(0, 0), (121, 0), (None, None)])
    @pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 1), (1, 0, 1)])
    def test_whose_answer_is_made_in_the_background_is_one_in_any_order(
        self, client: Client, key: dict[str, Any], begun: tuple[Any, Any], order: tuple[int, ...]
    ) -> None:
        reports: list[dict[str, Any]] = [
            {"prompt_tokens": given, "completion_tokens": got} for given, got in (begun, (121, 400))
        ]

        for number in order:
            send(client, key, payload(id="resp_made", call_type="aresponses", **reports[number]), to=LITELLM)

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (121, 400)

    def test_is_not_completed_by_reading_an_answer_that_is_not_finished(
        self, client: Client, key: dict[str, Any]
    ) -> None:
        send(
            client, key, payload(id="resp_1", call_type="aresponses", prompt_tokens=0, completion_tokens=0), to=LITELLM
        )
        for got in (0, 400):
            read = payload(id="resp_1", call_type="aget_responses", prompt_tokens=121, completion_tokens=got)
            send(client, key, read, to=LITELLM)

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (121, 400)

    @pytest.mark.parametrize("call", [None, "chosen by the customers"])
    @pytest.mark.parametrize("answer", ["same", "None"])
    def test_of_another_account_is_another(
        self, client: Client, key: dict[str, Any], call: str | None, answer: str
    ) -> None:
        both = [
            payload(id=answer, litellm_call_id=call, metadata={"user_api_key_team_id": team}) for team in ("a", "b")
        ]

        assert send(client, key, *both, to=LITELLM)["accepted"] == 2

    def test_that_reads_a_batch_counts_the_batch_once(self, client: Client, key: dict[str, Any]) -> None:
        for _ in range(3):
            send(client, key, payload(id="batch_1", call_type="aretrieve_batch"), to=LITELLM)

        assert UsageEvent.objects.count() == 1
