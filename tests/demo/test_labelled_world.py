"""Labelled worlds: the same for a seed, with every family in them, and without shortcuts to the label."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.register import parse_account_line
from governance.bench.detection.measures import measure
from governance.bench.detection.world import read_labels, read_world
from governance.demo.behaviours.collecting import SLOW_AND_LOW
from governance.demo.behaviours.hiding import TRAFFIC_PROXY
from governance.demo.world import World, assemble_world
from governance.demo.worlds.cast import CAMPAIGNS, FEWEST_IN_CAMPAIGN, HARVESTS, ORDINARY, cast_world
from governance.demo.worlds.files import iter_labels, write_world
from governance.usage.wire import Rejection, TimeRange, decode_events

ENDS_AT = datetime(2026, 10, 5, tzinfo=UTC)
FAMILIES = {kind.name for kind in (*HARVESTS, *CAMPAIGNS, TRAFFIC_PROXY)}

Event = dict[str, Any]


def made(accounts: int = 190, *, seed: int = 1, days: int = 1, dressed: float = 0.5) -> World:
    return assemble_world(cast_world(accounts, dressed=dressed), seed, ENDS_AT, days)


@cache
def dressed_up() -> tuple[dict[str, dict[str, Any]], dict[str, list[Event]]]:
    """The labels and the events of a world in which all harvests are dressed up, without those sent twice."""
    world = made(400, days=4, dressed=1.0)
    labels = {label["account"]: label for label in iter_labels(world) if label["label"] != "licensed"}
    events: dict[str, dict[str, Event]] = {account: {} for account in labels}
    for event in world.events():
        if event["account"] in events:
            events[event["account"]][event["id"]] = event
    return labels, {account: [*own.values()] for account, own in events.items()}


class TestTheFiles:
    def test_are_the_same_bytes_for_the_same_seed(self, tmp_path: Path) -> None:
        for folder, seed in (("one", 1), ("again", 1), ("other", 2)):
            write_world(made(seed=seed), tmp_path / folder)

        for name in ("events.jsonl.gz", "accounts.jsonl", "labels.jsonl"):
            one, again, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "again", "other"))
            assert one == again != other

    def test_are_taken_in_and_read_for_measuring(self, tmp_path: Path) -> None:
        counts = write_world(made(), tmp_path)

        lines = gzip.decompress((tmp_path / "events.jsonl.gz").read_bytes()).splitlines()
        span = TimeRange(ENDS_AT - timedelta(days=2), ENDS_AT)
        assert len(lines) == counts.events
        assert not [one for one in decode_events(lines, span=span) if isinstance(one, Rejection)]
        register = [parse_account_line(line) for line in (tmp_path / "accounts.jsonl").read_bytes().splitlines()]
        assert len(register) == counts.accounts == 190
        assert sum(label.label == "malicious" for label in read_labels(str(tmp_path)).values()) == counts.harvests
        assert read_world(str(tmp_path)).accounts

    def test_are_ordered_by_time(self) -> None:
        times = [event["occurred_at"] for event in made(days=2).events()]

        assert times == sorted(times)


class TestTheCast:
    def test_has_every_family_careless_and_dressed_up(self) -> None:
        labels = [*iter_labels(made())]

        for dressed in (False, True):
            harvests = [one for one in labels if one["label"] == "malicious" and one["dressed"] == dressed]
            assert {one["family"] for one in harvests} == FAMILIES
            campaigns = Counter(one["campaign"] for one in harvests if one["campaign"])
            assert len(campaigns) == len(CAMPAIGNS)
            assert min(campaigns.values()) >= FEWEST_IN_CAMPAIGN
        silent = {
            kind: [one["text"] != "text" for one in labels if one["label"] == kind] for kind in ("malicious", "benign")
        }
        assert all(0.05 < sum(some) / len(some) < 0.3 for some in silent.values())
        assert {one["family"] for one in labels if one["label"] == "benign"} == {kind.name for kind in ORDINARY}
        assert [one["family"] for one in labels if one["label"] == "licensed"] == ["licensed_distiller"]

    @pytest.mark.parametrize("accounts", [300, 1_000, 5_000])
    def test_has_as_many_accounts_as_asked_for_a_tenth_of_them_harvests(self, accounts: int) -> None:
        troupes = cast_world(accounts, dressed=0.5)

        assert sum(troupe.accounts for troupe in troupes) == accounts
        assert min(troupe.accounts for troupe in troupes) > 0
        harvests = sum(troupe.accounts for troupe in troupes if troupe.kind.harvest)
        assert 0.1 * accounts <= harvests <= max(80, 0.11 * accounts)

    def test_refuses_a_world_too_small_for_every_family(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="needs at least"):
            call_command("make_world", "--accounts", "60", "--output", str(tmp_path / "world"))

    def test_leaves_a_folder_alone_that_holds_something(self, tmp_path: Path) -> None:
        (tmp_path / "notes").write_text("mine")

        with pytest.raises(CommandError, match="is not empty"):
            call_command("make_world", "--output", str(tmp_path), stdout=StringIO())

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            (["--dressed", "1.1"], "--dressed must be between 0 and 1"),
            (["--accounts", "10000000"], "There are names for [0-9,]+ accounts at most"),
            (["--days", "0"], "--days must be at least 1"),
            (["--accounts", "190", "--days", "1"], "cannot be written: Not a directory"),
        ],
        ids=str,
    )
    def test_are_refused_in_words(self, tmp_path: Path, options: list[str], why: str) -> None:
        file = tmp_path / "file"
        file.touch()

        with pytest.raises(CommandError, match=why):
            call_command("make_world", *options, "--output", str(file / "world"))


class TestAHarvestDressedUp:
    """It differs from ordinary customers by what it asks, and by nothing that a simple rule sees."""

    @pytest.mark.parametrize(
        "member",
        ["end_user", "conversation", "messages", "cached_input_tokens", "system", "stream", "response_format", "tools"],
    )
    def test_is_not_told_by_what_its_requests_leave_out_or_name(self, member: str) -> None:
        labels, events = dressed_up()

        shares = {account: _share(own, member) for account, own in events.items()}

        _assert_tells_little(labels, shares)

    @pytest.mark.parametrize("rule", ["requests", "days", "users", "temperature", "ratio", "age"])
    def test_is_not_told_by_volume_settings_or_age(self, rule: str) -> None:
        labels, events = dressed_up()
        rules: dict[str, Callable[[list[Event]], Any]] = {
            "requests": len,
            "days": lambda own: len({event["occurred_at"][:10] for event in own}),
            "users": lambda own: len({event.get("end_user") for event in own}),
            "temperature": lambda own: sum(event["parameters"]["temperature"] for event in own) / len(own),
            "ratio": lambda own: sum(one["output_tokens"] for one in own) / sum(one["input_tokens"] for one in own),
            "age": lambda own: own[0]["occurred_at"],
        }

        found = {account: rules[rule](own) if own else 0 for account, own in events.items()}
        if rule == "age":
            order = {at: place for place, at in enumerate(sorted(str(at) for at in found.values()))}
            found = {account: order[str(at)] for account, at in found.items()}

        _assert_tells_little(labels, found)

    def test_asks_what_the_harvest_asks_in_the_place_of_what_a_customer_would(self) -> None:
        labels, events = dressed_up()
        asked = [
            event["messages"][-1]["content"]
            for account, own in events.items()
            if labels[account]["family"] == "campaign_address_pool"
            for event in own
            if "messages" in event
        ]

        assert asked
        assert all("question" in text for text in asked)

    def test_of_the_slow_kind_sends_little(self) -> None:
        labels, events = dressed_up()

        slow = [len(own) for account, own in events.items() if labels[account]["family"] == SLOW_AND_LOW.name]

        assert max(slow) < 20


def _share(events: list[Event], member: str) -> float:
    def has(event: Event) -> bool:
        if member == "system":
            return bool(event.get("messages", [{"role": ""}])[0]["role"] == "system")
        return bool(event.get(member) or event["parameters"].get(member))

    return sum(map(has, events)) / len(events) if events else 0.0


def _assert_tells_little(labels: dict[str, dict[str, Any]], values: dict[str, Any]) -> None:
    malicious = [label["label"] == "malicious" for label in labels.values()]
    for sign in (1, -1):
        told = measure([sign * float(values[account]) for account in labels], malicious)
        assert told.auroc < 0.75, told
        assert told.recall_percent.value <= 0.2, told


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    said = StringIO()

    call_command("make_world", "--accounts", "190", "--days", "1", "--output", str(tmp_path / "world"), stdout=said)

    assert said.getvalue().startswith("190 accounts, 76 of them harvests, and ")
    first = json.loads((tmp_path / "world" / "labels.jsonl").read_text().splitlines()[0])
    assert first.keys() == {"account", "label", "family", "campaign", "dressed", "text"}
