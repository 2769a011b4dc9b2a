"""Requests to servers of others are sent by platform/outbound.py alone, which bounds and checks all of them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS = re.compile(r"^(?:import|from) (http\.client|urllib\.request|urllib3|httpx|requests)\b", re.MULTILINE)
OUR_OWN = {
    "governance/gateways/check/forwarding.py",  # asks the check, which is a process of this installation
    "governance/demo/live_gateways.py",  # asks the check, as a gateway of the demonstration
    "governance/management/commands/up.py",  # waits until the installation answers
    "governance/management/doctor.py",  # asks the check
    "governance/usage/spend_logs.py",  # takes the phrases of statuses only
    "governance/web/threads.py",  # catches an exception only
}


def test_no_other_module_sends_requests() -> None:
    files = [file for room in ("accounts", "governance") for file in (ROOT / room).rglob("*.py")]
    sending = {str(file.relative_to(ROOT)) for file in files if CLIENTS.search(file.read_text())}

    sending = {name for name in sending if not name.startswith(("governance/bench/", "governance/platform/outbound"))}
    assert sending == OUR_OWN
