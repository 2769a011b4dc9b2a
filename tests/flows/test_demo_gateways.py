"""The two gateways of the demonstration run with `manage.py up`: one follows, the other is behind on purpose."""

import re
import signal
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from governance.demo.gateways import BEHIND, FOLLOWING
from tests.flows.running_up import Up, data, decision, manage, manage_status
from tests.servers import free_port
from tests.waiting import wait_until

__all__ = ["data"]  # a fixture

pytestmark = pytest.mark.long


def signed_in(up: Up) -> OpenerDirector:
    """The browser of the reviewer whose sign-in `up` printed."""
    browser = build_opener(HTTPCookieProcessor(cookies := CookieJar()))
    browser.open(f"http://127.0.0.1:{up.port}/sign-in/").read()
    _, email, password = up.sign_ins()[0].split()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"csrfmiddlewaretoken": token, "username": email, "password": password}
    browser.open(f"http://127.0.0.1:{up.port}/sign-in/", urlencode(form).encode()).read()
    return browser


def enforcement(up: Up, browser: OpenerDirector) -> str:
    shown = browser.open(f"http://127.0.0.1:{up.port}/enforcement/").read().decode()
    return " ".join(re.sub(r"<[^>]+>", " ", shown).split())


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    one = Up(data, free_port())
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGTERM)


def test_a_running_demonstration_says_which_gateway_is_behind(up: Up) -> None:
    up.wait_until_ready()
    browser = signed_in(up)

    wait_until(lambda: f"{FOLLOWING} Up to date: it has reported every change." in enforcement(up, browser))
    shown = enforcement(up, browser)
    blocked = re.search(r"Blocked (acct_\w+) no\. \d+", shown)
    secret = manage(up, "issue_service_key", "my-gateway", "--scope", "access:read").split()[-1]

    assert f"{BEHIND} It has not received 2 changes yet." in shown
    assert f"not yet in force at {BEHIND} after" in shown
    assert blocked is not None
    assert decision(up.check_port, secret, blocked[1]) == "deny"
    # Workers say that they live some seconds after the start.
    wait_until(lambda: manage_status(up, "doctor") == (0, "Nothing is wrong."))
    assert up.end(signal.SIGINT) == 0
    assert "Traceback" not in up.said
