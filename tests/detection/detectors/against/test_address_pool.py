from typing import Any

import pytest

from governance.detection.detectors.against.address_pool import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"networks": 6}


class TestAddressPool:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"events": 29}, None, id="too few requests"),
            pytest.param({"events": 30}, 1.0, id="just enough requests"),
            pytest.param({"networks": 2}, None, id="two networks"),
            pytest.param({"networks": 3}, 0.25, id="three networks"),
            pytest.param({"networks": 4}, 0.5, id="half of the networks"),
            pytest.param({"networks": 6}, 1.0, id="many networks"),
            pytest.param({"networks": 7}, 1.0, id="more networks than needed"),
            pytest.param({"networks": 1, "facts": facts(address_accounts=2)}, None, id="two strangers"),
            pytest.param({"networks": 1, "facts": facts(address_accounts=3)}, 0.1, id="three strangers"),
            pytest.param({"networks": 1, "facts": facts(address_accounts=7)}, 0.5, id="seven strangers"),
            pytest.param({"networks": 1, "facts": facts(address_accounts=12)}, 1.0, id="twelve strangers"),
            pytest.param({"networks": 5, "facts": facts(address_accounts=7)}, 0.75, id="the greater of the two"),
            pytest.param({"standalone_share": 0.3}, None, id="all in conversations or with tools"),
            pytest.param({"standalone_share": 0.6}, 0.5, id="half of those alone"),
            pytest.param({"standalone_share": 0.9}, 1.0, id="alone"),
            pytest.param({"end_user_share": 0.3}, None, id="end users named"),
            pytest.param({"end_user_share": 0.15}, 0.5, id="some end users"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(facts=facts(address_accounts=23)), None, id="a university behind one address"
            ),
            pytest.param(samira_the_support_desk(addresses=12, networks=9), None, id="a platform with people"),
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
                marcus_the_harvester(addresses=20, networks=12),
                "20 addresses of 12 networks; no request names an end user.",
            ),
            (
                marcus_the_harvester(networks=12, end_user_share=0.1, facts=facts(address_accounts=1_200)),
                (
                    "Its 300 requests came from 1 address of 12 networks; 1,200 accounts of other organisations "
                    "also came from them; 10 % of its requests name an end user."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
