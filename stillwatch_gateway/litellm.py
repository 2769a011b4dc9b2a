"""LiteLLM: `callbacks: stillwatch_gateway.litellm.hook` in its `litellm_settings`, and no question over the network.

STILLWATCH_URL, STILLWATCH_KEY and STILLWATCH_FOLDER are read from the environment when LiteLLM starts. With
STILLWATCH_FAIL_CLOSED=everybody, everybody is refused once Stillwatch has not been reached for a minute.
"""

import os
from typing import Any, Final

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger

from stillwatch_gateway.client import Gateway
from stillwatch_gateway.naming import litellm_account
from stillwatch_gateway.normalization import is_nothing
from stillwatch_gateway.refusals import RateLimiter, enforce

EVERYBODY: Final = "everybody"
WITHHELD_PARAMETERS: Final = {
    "logprobs": ("logprobs", "top_logprobs"),
    "reasoning": ("reasoning_effort", "thinking", "include_reasoning", "reasoning"),
}


class Hook(CustomLogger):
    """Asks before each request."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway, self._limiter = gateway, RateLimiter()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Any:
        key = user_api_key_dict.api_key
        decision = self._gateway.decide(
            account=litellm_account(user_api_key_dict.team_id, user_api_key_dict.user_id, key),
            key=key,
            digest=key,
            organisation=None if is_nothing(user_api_key_dict.org_id) else user_api_key_dict.org_id,
        )
        if instead := enforce(decision, self._limiter):
            headers = {name: value for name, value in instead.headers if name == "Retry-After"}
            raise HTTPException(instead.status, detail=instead.body.decode(), headers=headers or None)
        for what in decision.withheld:
            for parameter in WITHHELD_PARAMETERS.get(what, ()):
                data.pop(parameter, None)
        return data


def _start_gateway() -> Gateway:
    gateway = Gateway(
        os.environ["STILLWATCH_URL"],
        os.environ["STILLWATCH_KEY"],
        os.environ["STILLWATCH_FOLDER"],
        fail_closed=os.environ.get("STILLWATCH_FAIL_CLOSED") == EVERYBODY,
    )
    gateway.start()
    return gateway


hook = Hook(_start_gateway())
