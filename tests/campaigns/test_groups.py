"""Which accounts are a campaign, and which look like one and are not. Each pair differs in what tells them apart."""

import numpy as np
import pytest

from governance.campaigns import hours
from governance.campaigns.findings import campaign_findings
from governance.campaigns.verdict import Reason, shared_prompt_share
from tests.campaigns.village import FOUR_WRAPPERS, MIDNIGHT, Village, harvest, meeting_slots, prompts_of

HEADS = range(1, 9)


@pytest.fixture
def village() -> Village:
    return Village()


class TestSharedWrappers:
    def test_tie_accounts_that_divide_the_work(self, village: Village) -> None:
        harvest(village, HEADS)

        assert village.campaigns() == [set(HEADS)]

    def test_tie_them_whatever_cover_traffic_they_send_beside(self, village: Village) -> None:
        for head in HEADS:
            cover = {1_000 * head + own: 0.04 for own in range(10)}
            village.account(head, wrappers={wrapper: share / 2 for wrapper, share in FOUR_WRAPPERS.items()} | cover)

        assert village.campaigns() == [set(HEADS)]

    def test_of_a_public_tool_are_watched_where_its_users_do_not_read_like_a_harvest(self, village: Village) -> None:
        harvest(village, HEADS, log_odds=-1.0)

        [group] = village.search()

        assert group.verdict.watched_for is Reason.CONTENT
        assert set(group.members) == set(HEADS)

    def test_of_a_public_tool_leave_the_accounts_aside_that_share_no_card_with_the_harvest(
        self, village: Village
    ) -> None:
        harvest(village, HEADS, card=77)
        harvest(village, range(20, 24), log_odds=-2.0)

        assert village.campaigns() == [set(HEADS)]

    def test_that_a_third_of_all_use_tie_nobody(self, village: Village) -> None:
        harvest(village, HEADS, wrappers={50: 0.1})
        harvest(village, range(100, 600), wrappers={50: 0.3}, log_odds=-3.0)

        assert village.campaigns() == []

    def test_cover_no_more_prompts_than_open_so_though_both_first_words_and_first_line_are_the_same(
        self, village: Village
    ) -> None:
        for number in range(6):
            village.account(number, wrappers={1: 0.8, 2: 0.8})

        (campaign,) = village.search()

        assert {member.ties["wrappers"] for member in campaign.members.values()} == {0.8}

    def test_in_other_proportions_leave_an_account_out_and_say_so(self, village: Village) -> None:
        harvest(village, HEADS)
        village.account(9, wrappers={11: 0.3, 90: 0.15, 91: 0.15, 92: 0.15})
        village.account(30, wrappers={90: 0.3})
        village.account(31, wrappers={91: 0.3, 92: 0.3})

        [group] = [group for group in village.search() if group.verdict.is_campaign]

        assert set(group.members) == set(HEADS)
        assert "wrapper" in group.left_out[9][1]


class TestShards:
    def test_of_one_collection_are_a_campaign(self, village: Village) -> None:
        for head in HEADS:
            village.account(head, wrappers=FOUR_WRAPPERS, prompts=prompts_of(head))

        assert village.campaigns() == [set(HEADS)]

    def test_are_told_from_the_users_of_one_evaluation_who_all_send_the_same(self, village: Village) -> None:
        for head in HEADS:
            village.account(head, wrappers=FOUR_WRAPPERS, prompts=prompts_of(head, among=30))

        [group] = village.search()

        assert group.verdict.watched_for is Reason.SAME_PROMPTS
        assert group.verdict.overlap == 1.0

    @pytest.mark.parametrize(
        ("repeated", "log_odds", "line", "watched_for"),
        [
            pytest.param(3, 0.75, 0.7, None, id="a tenth is usual"),
            pytest.param(9, 1.55, 1.5, None, id="a third, and content that shows a harvest"),
            pytest.param(9, 1.45, 1.5, Reason.SAME_PROMPTS, id="a third, and content that half the evaluations have"),
            pytest.param(12, 3.0, 1.9, Reason.SAME_PROMPTS, id="two fifths, whatever the content"),
        ],
    )
    def test_need_the_more_content_the_more_members_repeat_each_other(
        self, village: Village, repeated: int, log_odds: float, line: float, watched_for: Reason | None
    ) -> None:
        for head in HEADS:
            prompts = [*prompts_of(0, among=30)[:repeated], *prompts_of(head)[repeated:]]
            village.account(head, wrappers=FOUR_WRAPPERS, prompts=prompts, log_odds=log_odds)

        [group] = village.search()

        assert group.verdict.overlap == repeated / 30
        assert group.verdict.line == line
        assert group.verdict.watched_for is watched_for

    def test_are_told_from_an_evaluation_by_its_short_settled_answers(self, village: Village) -> None:
        harvest(village, HEADS, is_evaluation=True)

        [group] = village.search()

        assert group.verdict.watched_for is Reason.EVALUATION


class TestOneInstitution:
    def test_is_watched(self, village: Village) -> None:
        harvest(village, HEADS, email_domain="uni.example")

        [group] = village.search()

        assert group.verdict.watched_for is Reason.INSTITUTION
        assert group.verdict.domain_share == 1.0

    def test_is_not_the_public_provider_of_the_addresses(self, village: Village) -> None:
        harvest(village, HEADS, email_domain="mail.example")
        for number in range(100, 150):
            village.account(number, email_domain="mail.example", log_odds=-3.0)

        assert village.campaigns() == [set(HEADS)]

    def test_is_also_one_organisation_with_many_accounts(self, village: Village) -> None:
        harvest(village, HEADS, organisation=1)

        assert village.search() == []


class TestAddressesAndCards:
    def test_alone_make_no_group_such_as_an_offices_or_a_carriers(self, village: Village) -> None:
        for head in HEADS:
            village.account(head, addresses={7: 1.0})

        assert village.search() == []

    def test_alone_make_no_group_such_as_an_agencys_clients(self, village: Village) -> None:
        for head in HEADS:
            village.account(head, card=7, wrappers={1_000 + head: 0.5})

        assert village.search() == []

    @pytest.mark.parametrize("tie", [{"card": 7}, {"addresses": {7: 0.5}}])
    def test_let_an_account_without_text_join_a_campaign(self, village: Village, tie: dict[str, object]) -> None:
        harvest(village, HEADS, **tie)
        village.account(30, log_odds=None, **tie)  # type: ignore[arg-type]

        [group] = [group for group in village.search() if group.verdict.is_campaign]

        assert set(group.members) == {*HEADS, 30}
        assert 0.5 < group.members[30].belongs <= 1.0

    def test_let_nobody_join_whose_own_prompts_speak_against_it(self, village: Village) -> None:
        harvest(village, HEADS, card=7)
        village.account(30, log_odds=-1.0, card=7)

        assert village.campaigns() == [set(HEADS)]

    def test_of_many_strangers_let_nobody_join(self, village: Village) -> None:
        harvest(village, HEADS, addresses={7: 0.1})
        for number in range(100, 160):
            village.account(number, log_odds=None, addresses={7: 1.0})

        assert village.campaigns() == [set(HEADS)]

    def test_never_let_a_licensed_distiller_join(self, village: Village) -> None:
        harvest(village, HEADS, card=7)
        village.account(30, log_odds=3.0, card=7, licensed=True, wrappers=FOUR_WRAPPERS)

        [group] = [group for group in village.search() if group.verdict.is_campaign]

        assert set(group.members) == set(HEADS)


class TestTheSameHours:
    def test_tie_accounts_that_share_nothing_else(self, village: Village) -> None:
        for head in range(1, 13):
            village.account(head, slots=meeting_slots(head))
        _at_random_hours(village, range(100, 300))

        assert village.campaigns() == [set(range(1, 13))]

    def test_by_chance_tie_nobody(self, village: Village) -> None:
        _at_random_hours(village, range(100, 300), log_odds=3.0)

        assert village.campaigns() == []

    def test_of_one_workshop_tie_nobody(self, village: Village) -> None:
        for head in range(1, 13):
            village.account(head, slots=meeting_slots(head, days=1))
        _at_random_hours(village, range(100, 300))

        assert village.campaigns() == []

    def test_of_a_class_are_watched_where_it_does_not_read_like_a_harvest(self, village: Village) -> None:
        for head in range(1, 13):
            village.account(head, slots=meeting_slots(head), log_odds=-2.0)
        _at_random_hours(village, range(100, 300))

        [group] = village.search()

        assert group.verdict.watched_for is Reason.CONTENT

    def test_let_an_account_without_text_join_but_no_product(self, village: Village) -> None:
        for head in range(1, 13):
            village.account(head, slots=meeting_slots(head))
        village.account(30, slots=meeting_slots(30), log_odds=None)
        village.account(31, slots=meeting_slots(31), log_odds=None, is_product=True)
        _at_random_hours(village, range(100, 300))

        assert village.campaigns() == [{*range(1, 13), 30}]

    def test_are_said_of_accounts_that_have_no_wording_in_common(self, village: Village) -> None:
        for head in range(1, 13):
            village.account(head, slots=meeting_slots(head))
        _at_random_hours(village, range(100, 300))

        [group] = village.search()

        ties, *_ = campaign_findings(group, points=30)
        assert ties["sentence"].startswith("12 accounts of 12 organisations are active in the same ten minutes")

    @pytest.mark.parametrize("products", [10_000, 5_000], ids=["the harvest", "half of it"])
    def test_are_compared_of_some_accounts_where_there_are_too_many_and_the_others_join(
        self, village: Village, monkeypatch: pytest.MonkeyPatch, products: int
    ) -> None:
        monkeypatch.setattr(hours, "PRODUCTS", products)
        for head in range(1, 25):
            village.account(head, slots=meeting_slots(head))
        _at_random_hours(village, range(100, 300))

        assert village.campaigns() == [set(range(1, 25))]


class TestCoverTraffic:
    def test_of_half_of_the_accounts_hides_no_campaign(self, village: Village) -> None:
        """Most of what they send is something else, so that half of them read like anybody."""
        for head in range(1, 13):
            cover = {1_000 * head + own: 0.02 for own in range(10)}
            village.account(head, wrappers={11: 0.09, 12: 0.09} | cover, log_odds=4.0 if head % 2 else -1.0)

        [group] = village.search()

        assert set(group.members) == set(range(1, 13))
        assert (group.verdict.is_campaign, group.verdict.is_covered) == (True, True)


def test_prompts_that_nobody_sent_are_no_overlap() -> None:
    none = np.zeros(0, np.uint64)

    assert shared_prompt_share([none, np.array([1], np.uint64)]) == 0.0
    assert shared_prompt_share([np.array([1], np.uint64)] * 2 + [none]) == 1.0


class TestAWrapperOfACampaign:
    def test_puts_an_account_near_it(self, village: Village) -> None:
        harvest(village, HEADS)
        village.account(30, wrappers={11: 0.1}, log_odds=1.0)

        [group] = [group for group in village.search() if group.verdict.is_campaign]

        assert 30 not in group.members
        assert group.left_out[30][0].ties["wrapper_of"] == pytest.approx(0.1 / 0.15, abs=0.01)

    @pytest.mark.parametrize(
        "other", [{"log_odds": -1.0}, {"log_odds": None}, {"email_domain": "uni.example"}, {"is_evaluation": True}]
    )
    def test_does_not_where_its_prompts_or_its_institution_say_otherwise(
        self, village: Village, other: dict[str, object]
    ) -> None:
        harvest(village, HEADS)
        village.account(30, wrappers={11: 0.1}, **{"log_odds": 1.0} | other)  # type: ignore[arg-type]
        for number in range(100, 106):
            village.account(number, email_domain="uni.example", log_odds=-3.0)

        [group] = [group for group in village.search() if group.verdict.is_campaign]

        assert 30 not in group.left_out or "wrapper_of" not in group.left_out[30][0].ties


def _at_random_hours(village: Village, numbers: range, *, log_odds: float = -3.0) -> None:
    for number in numbers:
        slots = np.random.default_rng(number).integers(MIDNIGHT, MIDNIGHT + 144 * 12, 30).tolist()
        village.account(number, slots=slots, log_odds=log_odds)
