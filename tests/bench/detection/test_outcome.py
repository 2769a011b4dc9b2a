from datetime import UTC, datetime, timedelta

from governance.bench.detection.outcome import detection_times, flag_shares, match_campaigns
from governance.bench.detection.world import LabelledWorld, Sent, WorldLabel
from governance.campaigns.queries import RankedAccount

MONDAY = datetime(2026, 8, 3, tzinfo=UTC)


def hours(*numbers: float) -> Sent:
    return Sent(at=[MONDAY + timedelta(hours=number) for number in numbers])


def place(account: str, score: int, flagged_after: float | None = None, campaign: str | None = None) -> RankedAccount:
    at = None if flagged_after is None else MONDAY + timedelta(hours=flagged_after)
    return RankedAccount(account, score, at is not None, at, campaign)


WORLD = LabelledWorld(
    {
        "lone": WorldLabel("lone", "malicious", "reasoning"),
        "head_1": WorldLabel("head_1", "malicious", "hydra", "one"),
        "head_2": WorldLabel("head_2", "malicious", "hydra", "one"),
        "desk": WorldLabel("desk", "benign", "support"),
    },
    {
        "lone": hours(0, 1, 2, 3),
        "head_1": hours(0, 1, 2, 3),
        "head_2": hours(2, 3, 4, 5),
        "desk": hours(0, 9),
    },
)
PLACES = {
    one.account: one
    for one in (
        place("lone", 90, 1.5),
        place("head_1", 80, 2.5, "x"),
        place("head_2", 70, 3.5, "x"),
        place("desk", 86, None, "x"),
    )
}


class TestAReplaysOutcome:
    def test_counts_flags_on_either_side(self) -> None:
        found = flag_shares(WORLD, PLACES, automatic_line=85)

        assert (found.harvests.hits, found.harvests.of, found.others.hits) == (3, 3, 0)
        assert found.automatic_others == 1

    def test_counts_requests_before_the_flag(self) -> None:
        assert detection_times(WORLD, PLACES) == (2, 2.5)

    def test_lays_the_best_group_beside_each_campaign(self) -> None:
        (found,) = match_campaigns(WORLD, PLACES)

        assert (found.recall, found.purity) == (1.0, 2 / 3)
        assert found.harvested == 6 / 8
        assert found.floor == 4 / 8

    def test_takes_a_campaign_whose_members_have_hardly_begun(self) -> None:
        silent = LabelledWorld(WORLD.labels, {**WORLD.sent, "head_2": Sent()})

        (found,) = match_campaigns(silent, PLACES)

        assert found.floor == 1.0
        assert found.recall == 1.0
