"""A worker that cannot reach PostgreSQL says so in a line for each task, and goes on."""

import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from tests.flows.worker import environment, kill
from tests.servers import free_port
from tests.waiting import wait_until

NOWHERE = "postgres://stillwatch@127.0.0.1:{port}/stillwatch"


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_a_task_that_postgresql_did_not_serve_is_told_in_a_line(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = [sys.executable, "-m", "celery", "-A", "governance", "worker"]
    command += ["--concurrency", "1", "--loglevel", "WARNING", "--queues", "delivery"]
    away = environment() | {"DATABASE_URL": NOWHERE.format(port=free_port())}
    with said.open("w") as out:
        worker = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=away, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        for _ in range(2):
            current_app.send_task("governance.tasks.deliver_restrictions", queue="delivery")
        line = "governance.tasks.deliver_restrictions waits for its next run: PostgreSQL did not answer"
        wait_until(lambda: said.read_text().count(line) >= 2, "both tasks are logged")  # others may have left some
    finally:
        kill(worker)

    assert "Traceback" not in said.read_text()
