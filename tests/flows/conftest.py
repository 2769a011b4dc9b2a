import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.flows.browser import FLAGS, NAMES, Open
from tests.flows.web_server import running_web_server
from tests.waiting import PATIENCE


@pytest.fixture(scope="session")
def _web_server(django_db_setup: None) -> Iterator[int]:
    with running_web_server() as port:
        yield port


@pytest.fixture
def web_server(_web_server: int, transactional_db: None) -> int:
    """The port of a web server with no settings of its own: it starts once, and is asked by all tests after another."""
    return _web_server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None and "CI" not in os.environ:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and nothing runs in it while a test asks the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=1000 * PATIENCE)
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, live_server: LiveServer) -> Iterator[Open]:
    """Opens pages of a new visitor, and sees to it that the browser found nothing to complain about."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def complain(message: ConsoleMessage) -> None:
        # A refusal, such as 409 and 422, is an answer like others.
        if message.type == "error" and not re.search("(status of|Error Code) 4", message.text):
            complaints.append(message.text)

    def opened(**options: Any) -> Page:
        contexts.append(chromium.new_context(**{"base_url": live_server.url} | options))
        page = contexts[-1].new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:  # an open page goes on polling, on the database of the next test
        context.close()
    assert complaints == []
