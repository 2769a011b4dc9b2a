"""Commands as a shell runs them."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests.flows.worker import environment


@pytest.mark.django_db(transaction=True)
def test_a_command_whose_reader_has_gone_ends_without_a_traceback() -> None:
    command = [sys.executable, "manage.py", "diffsettings"]
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()

    assert said == b""
