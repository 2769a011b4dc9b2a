"""A world for each management command to run in: a few customers with some usage, and a folder for files."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.models import Account
from governance import pipeline
from governance.detection.calibration import Calibration, format_calibration
from governance.detection.detectors import all_detectors
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Case, Dismissal
from governance.review.verdicts import Verdict
from governance.usage.actions import record_lines
from tests.factories import assessment, line, person
from tests.flows.worker import environment, owner_address

CUSTOMERS = 24  # a calibration needs ten of each kind


class World:
    """A few customers with some usage, and a folder for files."""

    def __init__(self, folder: Path, now: datetime, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.now, self.patch = folder, now, patch
        self.names = [f"acct_{number}" for number in range(CUSTOMERS)]
        self.events = [
            line(
                id=f"{name}-{place}",
                account=name,
                occurred_at=(now - timedelta(hours=30 - place)).isoformat(),
                messages=[{"role": "user", "content": f"Which {name} comes after the tide of {place}?"}],
            )
            for name in self.names
            for place in range(3)
        ]

    def call(self, *command: str) -> str:
        said = StringIO()
        call_command(*command, stdout=said, stderr=said)
        return said.getvalue()

    def call_from_a_shell(self, *command: str) -> str:
        """Run it in a process of its own, in the folder of this world. It must succeed. Return its standard error."""
        done = subprocess.run(
            [sys.executable, settings.BASE_DIR / "manage.py", *command],
            cwd=self.folder,
            env=environment() | {"MIGRATE_DATABASE_URL": owner_address()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def file(self, name: str, *lines: bytes | dict[str, Any]) -> str:
        path = self.folder / name
        encoded = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
        path.write_bytes(b"\n".join(encoded) + b"\n")
        return str(path)

    def calibration(self) -> str:
        path = self.folder / "2026-12.toml"
        weights = {detector.name: detector.weight for detector in all_detectors()}
        path.write_text(format_calibration(Calibration(version="2026-12", weights=weights, fitted_on="nothing")))
        return str(path)

    def use(self) -> None:
        """Take the usage in and score it."""
        record_lines(self.events, source="native", now=self.now)
        while pipeline.govern(now=self.now):
            pass

    def decide(self) -> None:
        """Every second account is blocked, the others are dismissed."""
        self.use()
        mira = person()
        for place, account in enumerate(Account.objects.order_by("external_id")):
            seen = assessment(account, at=self.now)
            opened = Case.objects.create(
                account=account, assessment=seen, score=82, band="critical", opened_at=self.now, due_at=self.now
            )
            verdict = (
                Verdict(RestrictionKind.BLOCK, Reason.BULK_HARVEST, terms_clause="2.3")
                if place % 2
                else Verdict(Dismissal.DISMISS, Reason.EXPECTED_USE)
            )
            decide(opened, verdict, decision_id=opened.pk, by=mira, now=self.now)

    def labelled(self) -> list[dict[str, Any]]:
        labels = ("malicious", "benign")
        return [
            {"account": name, "label": labels[place % 2], "family": f"{labels[place % 2]}_{place % 4}"}
            for place, name in enumerate(self.names)
        ]


Run = Callable[[World], None]
RUNS: dict[str, Run] = {}


def runs(name: str) -> Callable[[Run], Run]:
    """Say how the command of this name is run."""

    def register(run: Run) -> Run:
        assert name not in RUNS, f"{name} is run twice"
        RUNS[name] = run
        return run

    return register
