"""A recorded world, replayed in its own time."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account
from governance.backtest.run import split_into_steps
from governance.demo import world
from governance.detection.active_calibration import activate_calibration
from governance.detection.calibration import Calibration, format_calibration
from governance.detection.detectors import all_detectors
from governance.detection.models import Assessment
from governance.usage.actions import record_lines
from governance.usage.models import UsageEvent
from tests.factories import MACHINE, NOW, line

ENDS = datetime(2026, 8, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: float) -> bytes:
    moment = datetime(2026, 8, 3, tzinfo=UTC) + timedelta(hours=hour)
    return json.dumps({"occurred_at": moment.isoformat()}).encode()


class TestSteps:
    def test_end_on_the_clock_and_skip_hours_without_events(self) -> None:
        found = [(step.end.hour, len(step.lines)) for step in split_into_steps([at(0.2), at(0.9), at(5.5)], every=HOUR)]

        assert found == [(1, 2), (6, 1)]

    def test_begin_anew_where_one_ends(self) -> None:
        found = [(step.end.hour, len(step.lines)) for step in split_into_steps([at(0), at(1), at(2)], every=HOUR)]

        assert found == [(1, 1), (2, 1), (3, 1)]

    def test_take_a_late_line_where_it_is_read(self) -> None:
        found = [
            (step.end.hour, len(step.lines), step.late)
            for step in split_into_steps([at(0.2), at(3.1), at(0.5), at(3.2)], every=HOUR)
        ]

        assert found == [(1, 1, 0), (4, 3, 1)]

    def test_keep_a_line_that_says_no_time_for_intake_to_reject(self) -> None:
        found = [
            len(step.lines) for step in split_into_steps([at(0.2), b"nonsense", b"[" * 10_000, at(0.3)], every=HOUR)
        ]

        assert found == [4]

    def test_leave_out_what_is_later_than_asked_for(self) -> None:
        until = ENDS.replace(day=3, hour=3)

        found = [
            (step.end.hour, len(step.lines))
            for step in split_into_steps([at(9), at(2.9), at(3)], every=HOUR, until=until)
        ]

        assert found == [(3, 1)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two weeks of a harvest and of three other customers, written as the files that backtest reads."""
    made = world.build_world(seed=7, ends_at=ENDS, accounts=60)
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
        "backtest",
        str(folder / "events.jsonl"),
        accounts=str(folder / "accounts.jsonl"),
        output=str(output),
        **{"every": timedelta(hours=6), **options},
    )
    return {one["account"]: one for one in map(json.loads, output.read_text().splitlines())}


@pytest.fixture
def blind_calibration() -> str:
    """One in which nothing speaks against anybody."""
    against = [detector.name for detector in all_detectors() if detector.weight > 0]
    return format_calibration(Calibration(version="blind", weights=dict.fromkeys(against, 0.0)))


@pytest.mark.long
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

    def test_flags_nobody_before_the_evidence_is_there(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        flagged_at = replayed(recorded, tmp_path / "all.jsonl")[recorded["harvest"]]["first_flagged_at"]
        until = datetime.fromisoformat(flagged_at)

        before = replayed(recorded, tmp_path / "before.jsonl", until=until - timedelta(hours=6))
        then = replayed(recorded, tmp_path / "then.jsonl", until=until)

        assert not before[recorded["harvest"]]["flagged"]
        assert then[recorded["harvest"]]["first_flagged_at"] == flagged_at

    def test_comes_to_the_same_every_time(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        first, second = (replayed(recorded, tmp_path / name, every=timedelta(days=2)) for name in ("1", "2"))

        assert first == second

    def test_takes_late_events_and_strangers_in_as_they_come(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        lines = (recorded["folder"] / "events.jsonl").read_bytes().splitlines()
        stranger = msgspec.json.encode(recorded["events"][0] | {"id": "late", "account": "acct_stranger"})
        (tmp_path / "events.jsonl").write_bytes(b"\n".join([*lines, stranger]))
        (tmp_path / "accounts.jsonl").write_text("")
        said = io.StringIO()

        results = replayed(
            recorded | {"folder": tmp_path}, tmp_path / "out.jsonl", every=timedelta(days=2), stdout=said
        )

        assert results.keys() == {recorded["harvest"], *recorded["others"], "acct_stranger"}
        assert results[recorded["harvest"]]["flagged"]
        assert not results["acct_stranger"]["flagged"]
        assert "1 late" in said.getvalue()

    def test_leaves_the_real_database_alone(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        name = connection.settings_dict["NAME"]
        record_lines([line(account="acct_ours"), line(account=recorded["harvest"])], source="native", now=NOW)

        replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=7))

        assert connection.settings_dict["NAME"] == name
        assert set(Account.objects.values_list("external_id", flat=True)) == {"acct_ours", recorded["harvest"]}
        assert UsageEvent.objects.count() == 2
        assert not Assessment.objects.exists()
        # What was seen there is not taken for what is here.
        record_lines([line(account=recorded["harvest"]) for _ in range(2)], source="native", now=NOW)
        assert UsageEvent.objects.filter(account__external_id=recorded["harvest"]).count() == 3

    def test_judges_by_another_calibration(
        self, recorded: dict[str, Any], tmp_path: Path, blind_calibration: str
    ) -> None:
        blind = tmp_path / "blind.toml"
        blind.write_text(blind_calibration)

        results = replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=2), calibration=str(blind))

        assert results[recorded["harvest"]]["score"] == 0

    def test_judges_by_the_calibration_in_force_unless_told_otherwise(
        self, recorded: dict[str, Any], tmp_path: Path, blind_calibration: str
    ) -> None:
        activate_calibration(blind_calibration, by=MACHINE, now=NOW)

        results = replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=2))

        assert results[recorded["harvest"]]["score"] == 0

    def test_judges_by_another_review_line(self, recorded: dict[str, Any], tmp_path: Path) -> None:
        results = replayed(recorded, tmp_path / "results.jsonl", every=timedelta(days=2), review_line=101)

        assert not results[recorded["harvest"]]["flagged"]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"events": "empty.jsonl"}, r"no usage events in .*empty\.jsonl"),
            ({"events": "missing.jsonl"}, r"missing\.jsonl cannot be read"),
            ({"accounts": "missing.jsonl"}, r"missing\.jsonl cannot be read"),
            ({"accounts": "odd.jsonl"}, r"odd\.jsonl line 2"),
            ({"output": "missing/results.jsonl"}, r"results\.jsonl cannot be written"),
            ({"calibration": "odd.jsonl"}, r"odd\.jsonl is not a calibration"),
        ],
    )
    def test_refuses_what_it_cannot_work_with(
        self, recorded: dict[str, Any], tmp_path: Path, given: dict[str, str], said: str
    ) -> None:
        (tmp_path / "empty.jsonl").write_text("")
        (tmp_path / "odd.jsonl").write_text('{"account": "acct_1"}\nodd\n')
        files = {name: str(recorded["folder"] / f"{name}.jsonl") for name in ("events", "accounts")}
        files |= {"output": str(tmp_path / "out.jsonl")} | {name: str(tmp_path / file) for name, file in given.items()}

        with pytest.raises(CommandError, match=said):
            call_command("backtest", files.pop("events"), **files)

    @pytest.mark.parametrize("option", ["--every=7x", "--every=0h", "--until=tomorrow"])
    def test_says_how_times_are_written(self, option: str) -> None:
        with pytest.raises(CommandError, match="write"):
            call_command("backtest", "events.jsonl", "--accounts=a", "--output=o", option)
