"""The demonstration world: repeatable, well-formed, and with everybody in it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from governance.demo import world
from governance.demo.cast import FEWEST_ACCOUNTS, HARVEST, KINDS
from governance.demo.world import World

ENDS_AT = datetime(2026, 8, 17, 9, 30, tzinfo=UTC)
SMALL = {"days": 3, "accounts": 48}

Event = dict[str, Any]


@cache
def small_world(seed: int = 7) -> World:
    return world.build_world(seed=seed, ends_at=ENDS_AT, **SMALL)


@cache
def fortnight() -> World:
    return world.build_world(seed=7, ends_at=ENDS_AT)


@cache
def small_events() -> list[Event]:
    return list(small_world().events())


@cache
def fortnight_events() -> list[Event]:
    return list(fortnight().events())


def of_kind(events: Iterable[Event], labels: dict[str, str], kind: str) -> list[Event]:
    return [event for event in events if labels[event["account"]] == kind]


def accounts_of(built: World, kind: str) -> list[dict[str, Any]]:
    return [account for account in built.accounts if built.labels[account["account"]] == kind]


def last_words(events: Iterable[Event]) -> list[str]:
    once = {event["id"]: event for event in events if "messages" in event}
    return [event["messages"][-1]["content"] for event in once.values()]


class TestTheSameSeed:
    def test_makes_the_same_accounts_and_keys(self) -> None:
        again = world.build_world(seed=7, ends_at=ENDS_AT, **SMALL)

        assert again.accounts == small_world().accounts
        assert again.keys == small_world().keys
        assert again.labels == small_world().labels

    def test_makes_the_same_events_in_the_same_order(self) -> None:
        again = world.build_world(seed=7, ends_at=ENDS_AT, **SMALL)

        assert list(again.events()) == small_events()

    def test_makes_the_same_events_when_one_world_is_asked_twice(self) -> None:
        assert list(small_world().events()) == small_events()

    def test_is_not_another_seed(self) -> None:
        other = world.build_world(seed=8, ends_at=ENDS_AT, **SMALL)

        assert not {account["account"] for account in other.accounts} & set(small_world().labels)


class TestAnEvent:
    def test_has_what_the_wire_format_requires(self) -> None:
        for event in small_events():
            assert {"id", "occurred_at", "account", "model", "input_tokens", "output_tokens"} <= event.keys()
            assert event["status"] in {"ok", "error", "refused", "rate_limited"}
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["occurred_at"])
            assert event["input_tokens"] > 0 <= event["output_tokens"]

    def test_counts_cached_and_reasoning_tokens_within_the_others(self) -> None:
        for event in fortnight_events():
            assert 0 <= event["cached_input_tokens"] <= event["input_tokens"]
            assert 0 <= event["reasoning_tokens"] <= event["output_tokens"]

    def test_carries_messages_in_the_chat_format(self) -> None:
        for event in small_events():
            for message in event.get("messages", []):
                assert message.keys() == {"role", "content"}
                assert message["role"] in {"system", "user", "assistant"}
                assert message["content"].strip()

    def test_leaves_no_slot_of_a_grammar_open(self) -> None:
        for words in last_words(fortnight_events()):
            assert not re.search(r"\{\^?[a-z_]+\}|\{\d+-\d+\}|⏎|PAYLOAD|FIRST|SECOND", words)

    def test_belongs_to_an_account_and_one_of_its_keys(self) -> None:
        keys = {(key["account"], key["api_key"]) for key in small_world().keys}

        assert {(event["account"], event["api_key"]) for event in small_events()} <= keys

    def test_comes_from_an_address_that_nobody_owns(self) -> None:
        unowned = [ip_network(net) for net in ("10.0.0.0/8", "198.18.0.0/15", "2001:db8::/32")]

        addresses = {ip_address(event["client"]["ip"]) for event in fortnight_events()}

        assert all(any(address in net for net in unowned) for address in addresses)
        assert all(64512 <= event["client"]["asn"] <= 65534 for event in fortnight_events())


class TestTheEvents:
    def test_are_ordered_by_time_within_the_span(self) -> None:
        times = [datetime.fromisoformat(event["occurred_at"]) for event in fortnight_events()]

        assert times == sorted(times)
        assert ENDS_AT - timedelta(days=14) <= times[0]
        assert times[-1] < ENDS_AT

    def test_never_come_before_their_account(self) -> None:
        opened = {account["account"]: account["created_at"] for account in fortnight().accounts}

        assert all(event["occurred_at"] >= opened[event["account"]][:23] for event in fortnight_events())

    def test_are_sent_twice_about_once_in_a_hundred(self) -> None:
        times_sent = Counter(event["id"] for event in fortnight_events())

        repeats = sum(1 for sent in times_sent.values() if sent == 2)

        assert max(times_sent.values()) == 2
        assert 0.005 < repeats / len(times_sent) < 0.015

    def test_are_the_same_event_when_sent_twice(self) -> None:
        seen: dict[str, Event] = {}

        for event in small_events():
            assert seen.setdefault(event["id"], event) == event

    def test_are_as_many_as_a_demonstration_can_load(self) -> None:
        assert 40_000 < len(fortnight_events()) < 60_000
        assert 1_500 < len(small_events()) < 3_000

    def test_carry_no_text_for_about_one_account_in_seven(self) -> None:
        with_text = {event["account"] for event in fortnight_events() if "messages" in event}

        assert 0.10 < 1 - len(with_text) / len(fortnight().accounts) < 0.20

    def test_do_not_all_succeed(self) -> None:
        statuses = Counter(event["status"] for event in fortnight_events())

        assert statuses["ok"] > 0.95 * sum(statuses.values())
        assert all(statuses[status] > 50 for status in ("error", "refused", "rate_limited"))


class TestTheCast:
    def test_has_as_many_accounts_as_asked_for(self) -> None:
        assert len(small_world().accounts) == 48
        assert len(fortnight().accounts) == 300
        assert len(world.build_world(seed=1, ends_at=ENDS_AT, accounts=613).accounts) == 613

    def test_refuses_a_world_too_small_for_everybody(self) -> None:
        with pytest.raises(ValueError, match=f"at least {FEWEST_ACCOUNTS} accounts"):
            world.build_world(seed=7, ends_at=ENDS_AT, accounts=FEWEST_ACCOUNTS - 1)

    @pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
    def test_has_every_kind_at_work_even_in_a_small_world(self, kind: str) -> None:
        assert of_kind(small_events(), small_world().labels, kind)

    def test_is_mostly_harmless(self) -> None:
        kinds = Counter(fortnight().labels.values())

        assert sum(kinds[kind] for kind in HARVEST) < 0.15 * 300

    def test_has_companies_of_different_names_at_addresses_that_lead_nowhere(self) -> None:
        names = {account["organisation"]: account["organisation_name"] for account in fortnight().accounts}

        assert len(set(names.values())) == len(names) > 250
        assert all(account["email_domain"].endswith(".example") for account in fortnight().accounts)

    def test_has_one_licensed_distiller_and_nobody_else_may_train(self) -> None:
        licensed = [account for account in fortnight().accounts if account["licence"]["training_permitted"]]

        assert licensed == accounts_of(fortnight(), "licensed_distiller")
        assert len(licensed) == 1

    def test_has_an_agency_that_pays_for_five_organisations_with_one_card(self) -> None:
        clients = accounts_of(fortnight(), "agency")

        assert len({client["organisation"] for client in clients}) == 5
        assert len({client["payment_fingerprint"] for client in clients}) == 1

    def test_has_a_university_behind_one_address(self) -> None:
        groups = of_kind(fortnight_events(), fortnight().labels, "university")

        assert len({event["account"] for event in groups}) > 1
        assert len({event["client"]["ip"] for event in groups}) == 1


class TestTheRings:
    @pytest.mark.parametrize(("ring", "accounts"), [("reasoning_ring", 12), ("task_ring", 8)])
    def test_are_accounts_of_as_many_organisations(self, ring: str, accounts: int) -> None:
        members = accounts_of(fortnight(), ring)

        assert len({member["organisation"] for member in members}) == len(members) == accounts

    @pytest.mark.parametrize(
        ("ring", "closing"), [("reasoning_ring", "that could stand alone."), ("task_ring", '"reasoning" and "answer".')]
    )
    def test_share_one_wrapper_across_their_organisations(self, ring: str, closing: str) -> None:
        wrapped = defaultdict(list)
        for event in of_kind(fortnight_events(), fortnight().labels, ring):
            words = event["messages"][-1]["content"]
            if words.endswith(closing):
                wrapped[event["organisation"]].append(words)

        assert len(wrapped) == len(accounts_of(fortnight(), ring))
        assert len({words[-90:] for said in wrapped.values() for words in said}) == 1

    @pytest.mark.parametrize("ring", ["reasoning_ring", "task_ring"])
    def test_stay_slow(self, ring: str) -> None:
        days = Counter(
            (event["account"], event["occurred_at"][:10])
            for event in of_kind(fortnight_events(), fortnight().labels, ring)
        )

        assert max(days.values()) < 75

    def test_are_tied_by_two_cards_and_one_pool_of_addresses_or_by_a_pool_alone(self) -> None:
        for ring, cards, at_one_address in (("reasoning_ring", [3, 3, 1], 6), ("task_ring", [1, 1, 1], 8)):
            paid = Counter(account["payment_fingerprint"] for account in accounts_of(fortnight(), ring))
            callers: dict[str, set[str]] = defaultdict(set)
            for event in of_kind(fortnight_events(), fortnight().labels, ring):
                callers[event["client"]["ip"]].add(event["account"])

            assert [number for _, number in paid.most_common(3)] == cards
            assert max(len(accounts) for accounts in callers.values()) == at_one_address

    def test_begin_one_after_another_and_the_second_in_the_last_two_days(self) -> None:
        first: dict[str, dict[str, str]] = defaultdict(dict)
        for event in fortnight_events():
            first[fortnight().labels[event["account"]]].setdefault(event["account"], event["occurred_at"])

        spans = {ring: sorted(map(datetime.fromisoformat, first[ring].values())) for ring in first}
        assert spans["reasoning_ring"][0] < ENDS_AT - timedelta(days=12)
        assert spans["reasoning_ring"][-1] > ENDS_AT - timedelta(days=4)
        assert spans["task_ring"][0] > ENDS_AT - timedelta(days=2.3)
        assert spans["task_ring"][-1] > ENDS_AT - timedelta(days=1)


class TestTheReleaseOfTheNewModel:
    def test_is_on_the_ninth_day(self) -> None:
        first = next(event for event in fortnight_events() if event["model"] == "flagship-3")

        day = datetime.fromisoformat(first["occurred_at"]) - (ENDS_AT - timedelta(days=14))

        assert day.days == 8

    def test_turns_the_pivoting_accounts_to_nothing_else(self) -> None:
        models = {
            event["model"]
            for event in of_kind(fortnight_events(), fortnight().labels, "release_pivot")
            if datetime.fromisoformat(event["occurred_at"]) > ENDS_AT - timedelta(days=5)
        }

        assert models == {"flagship-3"}

    def test_draws_harmless_customers_too(self) -> None:
        adopters = {event["account"] for event in fortnight_events() if event["model"] == "flagship-3"}

        assert len({account for account in adopters if fortnight().labels[account] not in HARVEST}) > 10


class TestTheWords:
    @pytest.mark.parametrize(
        "kind",
        [
            "bulk_harvest",
            "task_generator",
            "preference_collector",
            "reasoning_ring",
            "task_ring",
            "release_pivot",
            "licensed_distiller",
        ],
    )
    def test_of_a_harvest_hardly_ever_repeat(self, kind: str) -> None:
        words = last_words(of_kind(fortnight_events(), fortnight().labels, kind))

        assert len(set(words)) > 0.99 * len(words)

    @pytest.mark.parametrize("kind", ["translation_batch", "classification", "extraction", "retrieval", "agency"])
    def test_of_honest_work_hardly_ever_repeat(self, kind: str) -> None:
        words = last_words(of_kind(fortnight_events(), fortnight().labels, kind))

        assert len(set(words)) > 0.97 * len(words)

    def test_of_a_trace_collector_come_about_three_times_each(self) -> None:
        words = last_words(of_kind(fortnight_events(), fortnight().labels, "trace_collector"))

        assert 2.5 < len(words) / len(set(words)) < 3.5

    def test_of_an_evaluation_are_the_same_for_unrelated_customers(self) -> None:
        asked_by: dict[str, set[str]] = defaultdict(set)
        for event in of_kind(fortnight_events(), fortnight().labels, "evaluation_harness"):
            if "messages" in event:
                asked_by[event["messages"][-1]["content"]].add(event["organisation"])

        assert max(len(organisations) for organisations in asked_by.values()) >= 3
