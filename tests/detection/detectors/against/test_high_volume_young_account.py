from datetime import timedelta
from typing import Any

import pytest

from governance.detection.detectors import all_detectors
from governance.detection.detectors.against.high_volume_young_account import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import (
    SIGNED_UP,
    facts,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    strength_of,
    tomas_the_translator,
)

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"first_at": SIGNED_UP + timedelta(days=10)}


class TestHighVolumeYoungAccount:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"first_at": None}, None, id="no request"),
            pytest.param({"active_days": 0}, None, id="no active day"),
            pytest.param({"first_at": SIGNED_UP + timedelta(days=45)}, None, id="old"),
            pytest.param({"first_at": SIGNED_UP + timedelta(days=44.65)}, 0.01, id="just young enough"),
            pytest.param({"first_at": SIGNED_UP + timedelta(days=27.5)}, 0.5, id="half"),
            pytest.param({"first_at": SIGNED_UP + timedelta(days=10)}, 1.0, id="new"),
            pytest.param({"events": 50}, 0.0, id="five requests a day"),
            pytest.param({"events": 150}, 0.5, id="fifteen a day"),
            pytest.param({"events": 250}, 1.0, id="twenty-five a day"),
            pytest.param({"standalone_share": 0.5}, 0.5, id="half of them stand alone"),
            pytest.param({"events": 50, "facts": facts(total_events=150)}, 0.5, id="requests that were not read"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(samira_the_support_desk(first_at=SIGNED_UP), 0.0, id="a new product with people"),
            pytest.param(tomas_the_translator(), None, id="an old customer"),
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
                marcus_the_harvester(),
                (
                    "First assessed request 3 days after sign-up; about 30 stand-alone requests per active day, "
                    "over 10 days."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence

    def test_title_claims_no_more_than_that_the_account_is_young(self) -> None:
        (found,) = [detector for detector in all_detectors() if detector.name == "high_volume_young_account"]

        assert found.title == "New account with high volume"
