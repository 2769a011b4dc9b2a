"""The example in Python of the document of the API does what is said of it."""

import os
import re
import subprocess
import sys

import pytest

from governance.bench.serving import web_server
from tests.factories import account, restriction, service_key
from tests.flows.documents import ROOT


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_example_lists_every_restriction_in_pages_and_at_once() -> None:
    numbers = [restriction(account(f"acct_{place:02}")).number for place in range(23)]
    secret = service_key("restrictions:read")[1]["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    [example] = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE | re.DOTALL)

    with web_server(workers=1, threads=8) as (port, _):
        known = {"STILLWATCH": f"http://127.0.0.1:{port}", "KEY": secret, "PATH": os.environ["PATH"]}
        said = subprocess.run([sys.executable, "-c", example], env=known, capture_output=True, text=True, check=True)

    listed = [f"{number} acct_{place:02}" for place, number in reversed(list(enumerate(numbers)))]
    assert said.stdout.splitlines() == listed + listed
