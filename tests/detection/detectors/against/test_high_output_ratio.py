from typing import Any

import pytest

from governance.detection.detectors.against.high_output_ratio import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, strength_of, tomas_the_translator, usage

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"ratio_percentile": 1.0, "median_output": 300}


class TestHighOutputRatio:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"events": 24}, None, id="too few requests"),
            pytest.param({"events": 25}, 0.4, id="few requests"),
            pytest.param({"events": 63}, 0.64, id="some requests"),
            pytest.param({"events": 120}, 1.0, id="many requests"),
            pytest.param({"ratio_percentile": None}, None, id="no ratio"),
            pytest.param({"ratio_percentile": 0.899}, None, id="just below the 90th percentile"),
            pytest.param({"ratio_percentile": 0.9}, 1 / 3, id="at the 90th percentile"),
            pytest.param({"ratio_percentile": 0.925}, 0.5, id="half"),
            pytest.param({"ratio_percentile": 1.0}, 1.0, id="full"),
            pytest.param({"median_output": 0}, 0.0, id="no output"),
            pytest.param({"median_output": 150}, 0.5, id="short answers"),
            pytest.param({"standalone_share": 0.3}, 0.0, id="not alone"),
            pytest.param({"standalone_share": 0.6}, 0.5, id="half alone"),
            pytest.param({"standalone_share": 0.9}, 1.0, id="alone"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(tomas_the_translator(), 1 / 3 * 0.5, id="translation of short phrases"),
            pytest.param(
                usage(median_ratio=40.0, ratio_percentile=0.8, median_output=1800, standalone_share=1.0),
                None,
                id="a reasoning model, like its peers",
            ),
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
                marcus_the_harvester(median_ratio=13.0, ratio_percentile=0.97, ratio_peers=412),
                (
                    "Half of its answers are at least about 13.0 times as long as their prompts. On flagship-2 that "
                    "is no less than for at least 399 of 412 comparable accounts."
                ),
            ),
            (
                marcus_the_harvester(ratio_percentile=1.0, ratio_peers=1),
                (
                    "Half of its answers are at least about 2.0 times as long as their prompts. On flagship-2 that is "
                    "no less than for at least 1 of 1 comparable account."
                ),
            ),
            (
                marcus_the_harvester(ratio_percentile=0.97),
                (
                    "Half of its answers are at least about 2.0 times as long as their prompts. On flagship-2 that is "
                    "in the top tenth of a built-in reference; too few comparable customers were measured."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
