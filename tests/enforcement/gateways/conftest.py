from collections.abc import Iterator

import pytest

from governance.enforcement.gateways.actions import connect_litellm
from governance.enforcement.models import Gateway
from tests.enforcement.gateways.litellm_server import KEY, LiteLlmServer, litellm_server
from tests.factories import MACHINE, NOW


@pytest.fixture
def litellm() -> Iterator[LiteLlmServer]:
    with litellm_server() as server:
        yield server


@pytest.fixture
def gateway(litellm: LiteLlmServer, db: None) -> Gateway:
    """A gateway whose blocks are pushed to the LiteLLM."""
    made = connect_litellm("litellm", litellm.url, key=KEY, by=MACHINE, now=NOW)
    litellm.asked.clear()
    return made
