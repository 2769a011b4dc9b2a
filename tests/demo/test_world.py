"""The demonstration world is repeatable, and its events are well-formed."""

import re
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from governance.demo import world
from tests.demo.worlds import ENDS_AT, SMALL, Event, fortnight, fortnight_events, last_words, small_events, small_world


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
