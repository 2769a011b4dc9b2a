"""A recorded world, replayed in its own time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account
from governance.demo import world
from governance.replay import steps
from governance.risk.calibration import Calibration, write
from governance.risk.detectors import all_detectors
from governance.usage.models import UsageEvent

ENDS = datetime(2026, 8, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: float) -> bytes:
    moment = datetime(2026, 8, 3, tzinfo=UTC) + timedelta(hours=hour)
    return json.dumps({"occurred_at": moment.isoformat()}).encode()


class TestSteps:
    def test_end_on_the_clock_and_skip_hours_without_events(self) -> None:
        found = [(end.hour, len(lines)) for end, lines in steps([at(0.2), at(0.9), at(5.5)], every=HOUR)]

        assert found == [(1, 2), (6, 1)]

    def test_take_a_late_line_where_it_is_read(self) -> None:
        found = [(end.hour, len(lines)) for end, lines in steps([at(0.2), at(3.1), at(0.5), at(3.2)], every=HOUR)]

        assert found == [(1, 1), (4, 3)]

    def test_keep_a_line_that_says_no_time_for_intake_to_reject(self) -> None:
        found = [len(lines) for _, lines in steps([at(0.2), b"nonsense", at(0.3)], every=HOUR)]

        assert found == [3]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two weeks of a harvest and of three other customers, written as the files that replay reads."""
    made = world.build(seed=7, ends_at=ENDS, accounts=60)
    harvest = next(account for account, kind in made.labels.items() if kind == "release_pivot")
    others = [account for account, kind in made.labels.items() if kind == "support_bot"][:3]
    chosen = {harvest, *others}
    events = sorted(
        (event for event in made.events() if event["account"] in chosen), key=lambda event: event["occurred_at"]
    )
    folder = tmp_path_factory.mktemp("world")
    (folder / "events.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, events)))
    (folder / "accounts.jsonl").write_bytes(
        b"\n".join(msgspec.json.encode({"account": account}) for account in [*chosen, "acct_idle"])
    )
    return {"folder": folder, "harvest": harvest, "others": others, "events": events}


def replayed(recorded: dict[str, Any], output: Path, **options: Any) -> dict[str, dict[str, Any]]:
    folder = recorded["folder"]
    call_command(
        "replay",
        str(folder / "events.jsonl"),
        accounts=str(folder / "accounts.jsonl"),
        output=str(output),
        **{"every": timedelta(hours=6), **options},
    )
    return {one["account"]: one for one in map(json.loads, output.read_text().splitlines())}


@pytest.mark.django_db(transaction=True)
class TestAReplay:
    def test_says_who_would_have_been_flagged_and_when(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        results = replayed(recorded, tmp_path / "results.jsonl")

        found = results[recorded["harvest"]]
        times = [event["occurred_at"] for event in recorded["events"] if event["account"] == recorded["harvest"]]
        assert found["flagged"]
        assert found["score"] >= 50
        assert times[0] < found["first_flagged_at"] < times[-1]
        assert not any(results[account]["flagged"] for account in recorded["others"])
        assert results["acct_idle"] == {
            "account": "acct_idle", "score": 0, "flagged": False, "first_flagged_at": None, "campaign": None,
        }  # fmt: skip

    def test_comes_to_the_same_every_time(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        first, second = (replayed(recorded, tmp_path / name, every=timedelta(days=2)) for name in ("1", "2"))

        assert first == second

    def test_leaves_the_real_database_alone(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        name = connection.settings_dict["NAME"]

        replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=7))

        assert connection.settings_dict["NAME"] == name
        assert not Account.objects.exists()
        assert not UsageEvent.objects.exists()

    def test_judges_by_another_calibration(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        against = [detector.name for detector in all_detectors() if detector.weight > 0]
        blind = tmp_path / "blind.toml"
        blind.write_text(write(Calibration(version="blind", weights=dict.fromkeys(against, 0.0))))

        results = replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=2), calibration=str(blind))

        assert results[recorded["harvest"]]["score"] == 0

    def test_judges_by_another_review_line(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        results = replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=2), review_line=101)

        assert not results[recorded["harvest"]]["flagged"]

    def test_refuses_a_file_without_events(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        empty = tmp_path / "empty.jsonl"
        empty.write_text("")

        with pytest.raises(CommandError, match="no usage events"):
            call_command(
                "replay", str(empty), accounts=str(recorded["folder"] / "accounts.jsonl"), output=str(tmp_path / "out")
            )
