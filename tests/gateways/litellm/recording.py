"""Writes the rows that LiteLLM would put into its spend logs to a file, made by LiteLLM's own code."""

import json
import os
from pathlib import Path
from typing import Any

from litellm.proxy.hooks.proxy_track_cost_callback import _ProxyDBLogger
from litellm.proxy.spend_tracking.spend_tracking_utils import get_logging_payload

FILE = Path(os.environ["SPEND_LOG_ROWS"])


def write(kwargs: dict[str, Any], answer: Any, start: Any, end: Any) -> None:
    made = get_logging_payload(kwargs=kwargs, response_obj=answer, start_time=start, end_time=end)
    with FILE.open("a") as file:
        file.write(json.dumps(made, default=lambda value: value.isoformat()) + "\n")


class Writer:
    async def update_database(self, **call: Any) -> bool:
        write(call["kwargs"], call["completion_response"], call["start_time"], call["end_time"])
        return True


class Recording(_ProxyDBLogger):
    """LiteLLM's writer of spend logs with a file in place of the database."""

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        write(kwargs, response_obj, start_time, end_time)


rows = Recording(spend_writer=Writer)
