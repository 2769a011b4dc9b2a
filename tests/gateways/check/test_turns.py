"""Large bodies of one service key wait for their turn: none is passed over, and none keeps what it gave up."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from governance.gateways.check.quotas import BodyQuota

KEY = uuid4()


def run(story: Callable[[BodyQuota], Awaitable[None]]) -> None:
    """With a quota of ten bytes, all of them taken."""

    async def with_quota() -> None:
        quota = BodyQuota(10)
        assert quota.take(KEY, 10)
        await story(quota)

    asyncio.run(with_quota())


async def waiting(quota: BodyQuota, size: int) -> "asyncio.Task[None]":
    task = asyncio.create_task(quota.take_in_turn(KEY, size))
    await asyncio.sleep(0)
    return task


async def ended(task: "asyncio.Task[None]") -> None:
    with pytest.raises(asyncio.CancelledError):
        await task


def test_turns_come_in_order_as_far_as_there_is_room() -> None:
    async def story(quota: BodyQuota) -> None:
        first, second, third = [await waiting(quota, size) for size in (6, 6, 2)]
        quota.give_back(KEY, 10)
        await first
        assert [second.done(), third.done()] == [False, False]
        assert not quota.take(KEY, 1)  # it would pass over those who wait
        quota.give_back(KEY, 6)
        await asyncio.gather(second, third)
        assert quota.taken[KEY] == 8

    run(story)


def test_the_turn_of_somebody_who_has_just_gone_goes_to_the_next() -> None:
    async def story(quota: BodyQuota) -> None:
        gone, next_one = await waiting(quota, 6), await waiting(quota, 6)
        gone.cancel()
        quota.give_back(KEY, 10)
        await next_one
        await ended(gone)
        assert quota.taken[KEY] == 6

    run(story)


def test_a_turn_that_came_as_somebody_went_is_given_back() -> None:
    async def story(quota: BodyQuota) -> None:
        gone, next_one = await waiting(quota, 6), await waiting(quota, 6)
        quota.give_back(KEY, 10)
        gone.cancel()
        await ended(gone)
        await next_one
        quota.give_back(KEY, 6)
        assert not quota.taken

    run(story)
