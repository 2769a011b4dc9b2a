import pytest
from stix2patterns.validator import run_validator

from governance.detection.indicator_kinds import IndicatorKind
from governance.sharing.patterns import Pattern, PatternError, parse_pattern

EVERY_KIND = [
    Pattern(IndicatorKind.CARD, f"v1:{'0a' * 32}"),
    Pattern(IndicatorKind.DOMAIN, f"v12:{'ff' * 32}"),
    Pattern(IndicatorKind.WRAPPER, "0123abcd:0123456789abcdef"),
    Pattern(IndicatorKind.ADDRESS, "203.0.113.7"),
    Pattern(IndicatorKind.ADDRESS, "2001:db8::1"),
    Pattern(IndicatorKind.NETWORK, "203.0.113.0/24"),
    Pattern(IndicatorKind.NETWORK, "2001:db8::/48"),
]


class TestAPattern:
    @pytest.mark.parametrize("pattern", EVERY_KIND, ids=str)
    def test_is_one_of_the_standard_and_reads_back(self, pattern: Pattern) -> None:
        assert run_validator(str(pattern), stix_version="2.1") == []
        assert parse_pattern(str(pattern)) == pattern

    def test_of_a_network_may_say_so_by_its_value(self) -> None:
        assert parse_pattern("[ipv4-addr:value = '203.0.113.9/24']").value == "203.0.113.0/24"
        assert parse_pattern("[ipv4-addr:value = '203.0.113.9/32']").kind is IndicatorKind.ADDRESS

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[file:name = 'a']",
            "[ipv4-addr:value = 'nowhere']",
            "[ipv4-addr:name = '203.0.113.7']",
            "[ipv4-addr:value ISSUBSET '10.0.0.0/8']",
            "[ipv6-addr:value ISSUBSET '::/0']",
            "[ipv4-addr:value = '203.0.113.7'] OR [ipv4-addr:value = '203.0.113.8']",
            "[x-stillwatch-digest:card = 'card_1']",
            "[x-stillwatch-digest:name = 'v1:" + "0" * 64 + "']",
            "[x-stillwatch-digest:card ISSUBSET 'v1:" + "0" * 64 + "']",
            "[ipv4-addr:value = '203.0.113.7']" + " " * 400,
        ],
    )
    def test_of_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(PatternError):
            parse_pattern(text)
