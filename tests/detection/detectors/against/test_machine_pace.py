from math import log
from typing import Any

import pytest

from governance.detection.detectors.against.machine_pace import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of


def hours(number: int) -> tuple[int, ...]:
    """The same number of requests in so many hours of the day."""
    return (12,) * number + (0,) * (24 - number)


class TestMachinePace:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"events": 59, "busiest_hour": 100}, None, id="too few requests"),
            pytest.param({"events": 60, "busiest_hour": 100}, 1.0, id="just enough requests"),
            pytest.param({"busiest_hour": 33}, 0.0, id="no burst"),
            pytest.param({"busiest_hour": 34}, 0.01, id="just above"),
            pytest.param({"busiest_hour": 75}, 0.625, id="half"),
            pytest.param({"busiest_hour": 100}, 1.0, id="full"),
            pytest.param({"rate_limited": 3}, 0.0, id="three refusals in 300"),
            pytest.param({"rate_limited": 4}, 1 / 3, id="four refusals"),
            pytest.param({"rate_limited": 6}, 1.0, id="six refusals"),
            pytest.param({"hours_of_day": hours(14)}, 0.0, id="fourteen hours of the day"),
            pytest.param({"hours_of_day": hours(16)}, (log(16) / log(24) - 0.85) / 0.13, id="sixteen hours of the day"),
            pytest.param({"hours_of_day": hours(24)}, 1.0, id="round the clock"),
            pytest.param({"hours_of_day": hours(24), "active_days": 2}, 0.0, id="round the clock for two days"),
            pytest.param({"hours_of_day": hours(24), "active_days": 4}, 0.5, id="round the clock for four days"),
            pytest.param({"hours_of_day": hours(24), "active_days": 6}, 1.0, id="round the clock for six days"),
            pytest.param({"busiest_hour": 75, "rate_limited": 4}, 0.625, id="the greatest of the three"),
            pytest.param({"busiest_hour": 100, "end_user_share": 0.7}, 0.0, id="many end users"),
            pytest.param({"busiest_hour": 100, "end_user_share": 0.4}, 0.5, id="half of the end users"),
            pytest.param({"busiest_hour": 100, "conversation_share": 0.1}, 1.0, id="few in conversations"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(samira_the_support_desk(hours_of_day=hours(24)), 0.0, id="end users in all time zones"),
            pytest.param(marcus_the_harvester(hours_of_day=hours(8)), 0.0, id="office hours"),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    @pytest.mark.parametrize(
        ("account", "text"),
        [
            (
                marcus_the_harvester(hours_of_day=hours(24)),
                "Its 300 requests are spread almost evenly over 24 hours (100 %, where 100 % is perfectly even).",
            ),
            (marcus_the_harvester(busiest_hour=1_000), "Its 300 requests came in bursts of up to 1,000 per hour."),
            (marcus_the_harvester(events=60, rate_limited=1), "Its 60 requests hit the rate limit once."),
            (marcus_the_harvester(rate_limited=60), "Its 300 requests hit the rate limit 60 times."),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
