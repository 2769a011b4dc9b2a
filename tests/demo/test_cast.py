"""The cast of the demonstration world: everybody is in it, and behaves as the story says."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

import pytest

from governance.demo import world
from governance.demo.cast import FEWEST_ACCOUNTS, HARVEST, KINDS
from tests.demo.worlds import (
    ENDS_AT,
    accounts_of,
    fortnight,
    fortnight_events,
    last_words,
    of_kind,
    small_events,
    small_world,
)


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
