from typing import Any

import pytest

from governance.detection.detectors.against.unattended_stream import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import (
    facts,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    strength_of,
    tomas_the_translator,
)

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"active_days": 5}


def with_night(requests: int) -> tuple[int, ...]:
    """The hours of a day with a hundred requests, so many of them in the quietest eight hours."""
    return (0,) * 3 + (requests,) + (0,) * 4 + (5,) * 15 + (25 - requests,)


class TestUnattendedStream:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"events": 24, "active_days": 1}, None, id="too few requests"),
            pytest.param({"events": 25, "active_days": 1}, 20 / 35, id="just enough requests"),
            pytest.param({"active_days": 0}, None, id="no active day"),
            pytest.param({"events": 25}, 0.0, id="five a day"),
            pytest.param({"events": 90, "active_days": 4}, 0.5, id="half"),
            pytest.param({"events": 200}, 1.0, id="forty a day"),
            pytest.param(
                {"events": 50, "active_days": 4, "facts": facts(total_events=90)}, 0.5, id="requests that were not read"
            ),
            pytest.param({"standalone_share": 0.5}, 0.0, id="half not alone"),
            pytest.param({"standalone_share": 0.725}, 0.5, id="fewer not alone"),
            pytest.param({"standalone_share": 0.95}, 1.0, id="alone"),
            pytest.param({"cold_share": 0.25}, 0.75, id="some cold"),
            pytest.param({"short_cap_share": 0.25}, 0.75, id="some short"),
            pytest.param({"seeded_share": 0.25}, 0.75, id="some seeded"),
            pytest.param({"median_output": 20}, 0.0, id="short answers"),
            pytest.param({"median_output": 30}, 0.5, id="longer answers"),
            pytest.param({"median_output": 40}, 1.0, id="no short answers"),
            pytest.param({"hours_of_day": with_night(0)}, 0.2, id="at the keyboard"),
            pytest.param({"hours_of_day": with_night(2)}, 0.2, id="two requests in a hundred at night"),
            pytest.param({"hours_of_day": with_night(5)}, 0.6, id="five in a hundred at night"),
            pytest.param({"hours_of_day": with_night(8)}, 1.0, id="eight in a hundred at night"),
            pytest.param({"hours_of_day": with_night(0), "busiest_hour": 15}, 0.2, id="fifteen in an hour"),
            pytest.param({"hours_of_day": with_night(0), "busiest_hour": 30}, 0.6, id="thirty in an hour"),
            pytest.param({"hours_of_day": with_night(0), "busiest_hour": 45}, 1.0, id="forty-five in an hour"),
            pytest.param({"hours_of_day": with_night(0), "active_days": 1}, 1.0, id="on one day only"),
            pytest.param({"hours_of_day": with_night(0), "active_days": 2}, 1 - 0.8 / 3, id="on two days"),
            pytest.param({"hours_of_day": with_night(0), "active_days": 4}, 0.2, id="on four days"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(tomas_the_translator(), 0.0, id="a batch at low temperature"),
            pytest.param(samira_the_support_desk(), 0.0, id="a product with people"),
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
                marcus_the_harvester(active_days=5),
                "100 % of 300 requests stand alone: about 60 a day on 5 days with requests; median answer 150 tokens.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
