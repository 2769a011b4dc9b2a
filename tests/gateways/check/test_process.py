"""What the process of the check consists of."""

import subprocess
import sys

from django.conf import settings

from tests.flows.worker import environment

# Written in other languages than Python, and reading what customers send: a fault there ends the process.
KEPT_OUT = {"eldc", "google", "hyperscan", "opentelemetry", "rensa", "zstandard"}


def test_holds_none_of_the_parsers_that_read_what_customers_send(transactional_db: None) -> None:
    program = "import sys, governance.check; print(*{name.partition('.')[0] for name in sys.modules})"

    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    imported = set(ran.stdout.split())
    assert "stillwatch_gateway" in imported
    assert imported & KEPT_OUT == set()
