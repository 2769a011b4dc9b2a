"""Samples of answers are stored for as long as an account's usage has them."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from governance.campaigns.answer_store import store_answers
from governance.campaigns.models import AnswerSample
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import usage
from tests.factories import account


class Source(NamedTuple):
    account: int
    organisation: int | None
    usage: AccountUsage


def digests() -> set[tuple[int, int]]:
    return set(AnswerSample.objects.values_list("account_id", "digest"))


@pytest.mark.django_db
@pytest.mark.parametrize(("later", "kept"), [((2, 3), {2, 3}), ((), set())])
def test_replace_the_earlier_ones_of_the_account_alone(later: tuple[int, ...], kept: set[int]) -> None:
    mine, other = account("acct_mine").pk, account("acct_other").pk
    store_answers([Source(pk, None, replace(usage(), answer_runs=(1, 2))) for pk in (mine, other)])

    store_answers([Source(mine, None, replace(usage(), answer_runs=later))])

    assert digests() == {(other, 1), (other, 2)} | {(mine, digest) for digest in kept}
