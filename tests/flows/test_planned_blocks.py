"""A planned block begins and ends at its own times, whatever else is decided before, with a worker and without."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from governance.restrictions.actions import end_expired
from governance.restrictions.models import Restriction
from governance.restrictions.undo import undo
from tests.factories import MACHINE, account
from tests.flows.last_word import BLOCK, HOUR, Api, denied_by, in_hours
from tests.front import Served, served

FOR_EVER = 99
HOURS = (0, 1, 3, 5, 7, 8, 10)  # one between any two of the times below


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def api() -> Api:
    account("acct_harbour")
    return Api()


def block(api: Api, begins: int, ends: int, *, status: int = 201) -> int:
    """From and until so many hours from now. Return the number, also of the one that stands in the way."""
    body = BLOCK | {"account": "acct_harbour"}
    body |= {"starts_at": in_hours(begins)} if begins else {}
    body |= {"expires_at": in_hours(ends)} if ends != FOR_EVER else {}
    answer = api.post(body)
    assert answer.status_code == status, answer.content
    return int(answer.json()["number"])


def shown(number: int) -> Restriction:
    return Restriction.objects.get(number=number)


def assert_denied(front: Served, *periods: tuple[int, int], noted: bool = False) -> None:
    """At the check, at a client of the feed and in Stillwatch itself: within these hours only. Where `noted` is set,
    ends are noted as the worker does.
    """
    for hour in HOURS:
        at = timezone.now() + (hour + 0.5) * HOUR
        if noted:
            end_expired(now=at)
        denied = any(begins <= hour < ends for begins, ends in periods)
        assert denied_by(front, "acct_harbour", at=at) == [denied] * 3, hour


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("noted", [False, True], ids=["without a worker", "with a worker"])
class TestAPlannedBlock:
    def test_begins_though_a_short_one_came_before(self, front: Served, api: Api, noted: bool) -> None:  # noqa: FBT001
        planned = block(api, 6, FOR_EVER)

        block(api, 0, 4)

        assert_denied(front, (0, 4), (6, FOR_EVER), noted=noted)
        assert (shown(planned).ended_at, shown(planned).ending) == (None, "")

    def test_that_begins_before_the_short_one_ends_goes_on_after_it(
        self,
        front: Served,
        api: Api,
        noted: bool,  # noqa: FBT001
    ) -> None:
        block(api, 2, 8)

        block(api, 0, 4)

        assert_denied(front, (0, 8), noted=noted)

    def test_may_be_asked_for_while_a_short_one_is_in_force(self, front: Served, api: Api, noted: bool) -> None:  # noqa: FBT001
        block(api, 0, 4)

        block(api, 6, 8)

        assert_denied(front, (0, 4), (6, 8), noted=noted)

    def test_begins_though_the_short_one_is_lifted(self, front: Served, api: Api, noted: bool) -> None:  # noqa: FBT001
        block(api, 6, 8)
        short = block(api, 0, 4)

        api.delete(f"/{short}?note=appeal")

        assert_denied(front, (6, 8), noted=noted)

    def test_is_lifted_by_itself(self, front: Served, api: Api, noted: bool) -> None:  # noqa: FBT001
        planned = block(api, 6, 8)
        block(api, 0, 4)

        assert api.delete(f"/{planned}?note=appeal").json()["lifted"]

        assert_denied(front, (0, 4), noted=noted)

    def test_comes_back_with_all_others_when_what_replaced_them_is_undone(
        self,
        front: Served,
        api: Api,
        noted: bool,  # noqa: FBT001
    ) -> None:
        block(api, 2, 4)
        block(api, 6, 8)
        block(api, 0, 1)
        longest = block(api, 0, FOR_EVER)
        assert not Restriction.objects.filter(ended_at=None).exclude(number=longest)

        undo_restriction(longest)

        assert_denied(front, (0, 1), (2, 4), (6, 8), noted=noted)

    def test_replaced_by_one_that_is_undone_since_begins_in_its_own_time(
        self,
        front: Served,
        api: Api,
        noted: bool,  # noqa: FBT001
    ) -> None:
        block(api, 6, 9)
        longer = block(api, 0, 8)
        block(api, 0, 4)
        assert_denied(front, (0, 9))

        undo_restriction(longer)

        assert_denied(front, (0, 4), (6, 9), noted=noted)

    def test_may_take_the_place_of_one_that_begins_no_earlier(self, front: Served, api: Api, noted: bool) -> None:  # noqa: FBT001
        block(api, 6, 8)

        block(api, 4, 7)

        assert_denied(front, (4, 8), noted=noted)


@pytest.mark.django_db(transaction=True)
class TestAPlannedBlockThatOverlaps:
    def test_one_in_force_is_refused(self, front: Served, api: Api) -> None:
        first = block(api, 0, 6)

        assert block(api, 4, 8, status=409) == first
        assert_denied(front, (0, 6))

    def test_one_planned_for_earlier_is_refused(self, front: Served, api: Api) -> None:
        first = block(api, 2, 6)

        assert block(api, 4, 8, status=409) == first
        assert_denied(front, (2, 6))


@pytest.mark.django_db(transaction=True)
def test_a_block_restored_after_a_short_one_says_its_own_times(front: Served, api: Api) -> None:
    begins = timezone.now() + 6 * HOUR
    planned = api.post(BLOCK | {"account": "acct_harbour", "starts_at": begins.isoformat()}).json()["number"]
    longer = block(api, 0, 8)

    undo_restriction(longer)

    [restored] = Restriction.objects.filter(ended_at=None)
    assert restored.number != planned
    assert restored.starts_at == begins


def undo_restriction(number: int) -> None:
    undo([shown(number).origin], note="Wrong.", by=MACHINE, now=timezone.now())
