"""Harvests are dressed up without losing what they ask, and what is found of them is counted right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from accounts.register import parse_account_line
from governance.bench.detection import dressing
from governance.bench.detection.in_memory import Scored, Scorer
from governance.bench.detection.paraphrase import paraphrase
from governance.bench.detection.stress import STEPS, read_stress_world, stress
from governance.bench.detection.usages import build_usages, build_world_deltas
from governance.demo.world import World, assemble_world
from governance.demo.worlds.cast import cast_world
from governance.demo.worlds.files import iter_labels, write_world

KEY = b"k" * 32
BEGINS_AT = datetime(2026, 10, 1, tzinfo=UTC)


def harvest(count: int = 120, **members: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"r{number}",
            "account": "acct_still",
            "occurred_at": (BEGINS_AT + timedelta(minutes=number)).isoformat(),
            "model": "flagship-2",
            "messages": [{"role": "user", "content": f"Write item {number} of the set. Explain every step."}],
            "parameters": {"temperature": 1.0, "logprobs": True},
            "client": {"ip": "198.18.0.7", "user_agent": "curl"},
            **members,
        }
        for number in range(count)
    ]


def shop(count: int = 60) -> list[dict[str, Any]]:
    return [
        {
            "id": f"s{number}",
            "account": "acct_shop",
            "occurred_at": (BEGINS_AT + timedelta(hours=2 * number)).isoformat(),
            "model": "swift-2",
            "end_user": f"u_{number % 7}",
            "messages": [
                {"role": "system", "content": "You help customers of the shop."},
                {"role": "user", "content": f"where is my parcel {number}?"},
                {"role": "assistant", "content": "On its way."},
                {"role": "user", "content": "thanks, and when?"},
            ],
            "parameters": {"temperature": 0.3},
            "client": {"ip": "10.1.2.3", "user_agent": "okhttp"},
        }
        for number in range(count)
    ]


def asked(events: list[dict[str, Any]]) -> list[str]:
    return [event["messages"][-1]["content"] for event in events]


class TestADressedHarvest:
    @pytest.mark.parametrize("step", ["system prompts", "end users", "conversations", "settings", "pace"])
    def test_asks_the_same(self, step: str) -> None:
        put_on = STEPS[step]
        assert put_on is not None

        assert asked(put_on(harvest(), shop(), Random(1))) == asked(harvest())

    def test_has_the_system_prompt_of_a_customer(self) -> None:
        worn = dressing.add_system_prompts(harvest(), shop(), Random(1))

        assert {event["messages"][0]["content"] for event in worn} == {"You help customers of the shop."}

    def test_has_end_users_who_come_back(self) -> None:
        users = [event["end_user"] for event in dressing.add_end_users(harvest(), shop(), Random(1))]

        assert len(set(users)) == 7

    def test_has_conversations_that_hold_what_was_asked_before(self) -> None:
        worn = dressing.group_into_conversations(harvest(), shop(), Random(1))

        names = {event["conversation"] for event in worn}
        turns = [[message["role"] for message in event["messages"]] for event in worn]
        assert len(worn) / 4 <= len(names) < len(worn)
        assert all(roles == (["user", "assistant"] * 4)[: len(roles)] and len(roles) % 2 for roles in turns)

    def test_has_the_settings_of_a_customer_and_keeps_what_it_is_after(self) -> None:
        worn = dressing.copy_settings(harvest(), shop(), Random(1))

        assert all(event["parameters"] == {"temperature": 0.3, "logprobs": True} for event in worn)
        assert all(event["client"] == {"ip": "198.18.0.7", "user_agent": "okhttp"} for event in worn)

    def test_takes_as_long_as_a_customer(self) -> None:
        times = [event["occurred_at"] for event in dressing.copy_pace(harvest(), shop(), Random(1))]

        assert times == sorted(times)
        assert datetime.fromisoformat(times[-1]) - datetime.fromisoformat(times[0]) > timedelta(days=4)

    def test_is_mixed_with_requests_of_a_customer(self) -> None:
        worn = dressing.add_cover(harvest(), shop(), Random(1))

        assert len(worn) == 180
        assert {event["account"] for event in worn} == {"acct_still"}
        assert len({event["id"] for event in worn}) == 180

    def test_is_dealt_out_over_accounts_of_at_most_so_many_requests(self) -> None:
        parts = [*dressing.split_over_accounts(harvest(), most=50, account="acct_still", dice=Random(1))]

        assert [len(part) for part in parts] == [40, 40, 40]
        assert {event["account"] for part in parts for event in part} == {"acct_still", "acct_still~1", "acct_still~2"}
        assert len({event["client"]["ip"] for part in parts for event in part}) == 3
        assert sorted(event["id"] for part in parts for event in part) == sorted(event["id"] for event in harvest())

    def test_without_text_gets_none(self) -> None:
        silent = [{name: value for name, value in event.items() if name != "messages"} for event in harvest()]

        for put_on in filter(None, STEPS.values()):
            assert not any("messages" in event for event in put_on(silent, shop(), Random(1)))


class TestAParaphrase:
    def test_says_it_differently_each_time_and_keeps_the_item(self) -> None:
        text = "Explain the task step by step. Write the final answer for item 4711."

        said = {paraphrase(text, Random(number)) for number in range(40)}

        assert len(said) > 30
        assert sum("4711" in one for one in said) > 30

    def test_is_the_same_for_the_same_dice(self) -> None:
        assert paraphrase("Write a list.", Random(3)) == paraphrase("Write a list.", Random(3))


def scored(world: World, *, before: datetime | None = None) -> dict[str, Scored]:
    numbers: dict[str, int] = {}
    deltas = build_world_deltas(map(msgspec.json.encode, world.events()), numbers, key=KEY)
    register = {line["account"]: parse_account_line(msgspec.json.encode(line)) for line in world.accounts}
    return Scorer().score(build_usages(deltas, numbers, before=before), register)


class TestScoringInMemory:
    def test_scores_who_has_sent_something_by_then(self) -> None:
        world = assemble_world(cast_world(190, dressed=0.5), 1, BEGINS_AT + timedelta(days=2), 2)
        sent = {event["account"]: event["occurred_at"] for event in reversed([*world.events()])}
        noon = BEGINS_AT + timedelta(hours=12)

        found = scored(world, before=noon)

        assert found.keys() == {name for name, first in sent.items() if datetime.fromisoformat(first) < noon}
        assert all(0 <= one.points <= 100 for one in found.values())

    @pytest.mark.long
    def test_finds_campaigns_and_gives_their_members_points(self) -> None:
        world = assemble_world(cast_world(700, dressed=0.0), 1, BEGINS_AT + timedelta(days=14), 14)
        in_step = {label["account"] for label in iter_labels(world) if label["family"] == "campaign_in_step"}

        found = scored(world)

        members = [found[name] for name in in_step if name in found and found[name].campaign is not None]
        assert len(members) > len(in_step) / 2
        assert len({one.campaign for one in members}) == 1
        assert min(one.points for one in members) >= 50


@pytest.mark.long
def test_every_step_is_measured_on_the_same_customers(tmp_path: Path) -> None:
    world = assemble_world(cast_world(190, dressed=0.0), 1, BEGINS_AT + timedelta(days=14), 4)
    write_world(world, tmp_path)

    results = [*stress(read_stress_world(str(tmp_path), key=KEY), every=timedelta(days=4))]

    assert [one.step for one in results] == [*STEPS]
    assert len({one.others.of for one in results}) == 1
    assert results[6].harvests.of == results[0].harvests.of < results[7].harvests.of
    assert [*stress(read_stress_world(str(tmp_path), key=KEY), every=timedelta(days=4))] == results
