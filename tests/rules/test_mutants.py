"""`make mutants` counts what survives, and names modules and tests that exist."""

import tomllib
from collections import Counter

from django.conf import settings

from tests.mutants import count_by_module, percent_killed

RESULTS = [
    "    governance.audit.chain.x_f__mutmut_1: killed",
    "    governance.audit.chain.x_f__mutmut_2: survived",
    "    governance.audit.chain.xǁCǁf__mutmut_3: timeout",
    "    stillwatch_gateway.signed.x_g__mutmut_1: no tests",
    "    stillwatch_gateway.signed.x_g__mutmut_2: not checked",
]


def test_mutants_are_counted_by_module() -> None:
    assert count_by_module(RESULTS) == {
        "governance.audit.chain": Counter(killed=1, survived=1, timeout=1),
        "stillwatch_gateway.signed": Counter({"no tests": 1}),
    }
    assert [*count_by_module(RESULTS, "stillwatch_gateway.signed")] == ["stillwatch_gateway.signed"]


def test_a_mutant_without_tests_is_not_killed() -> None:
    assert percent_killed(Counter({"killed": 2, "timeout": 1, "no tests": 1})) == 75.0


def test_the_modules_and_their_tests_exist() -> None:
    config = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["tool"]["mutmut"]

    for pattern in config["only_mutate"]:
        assert [*settings.BASE_DIR.glob(pattern)], pattern
    for selected in config["pytest_add_cli_args_test_selection"]:
        path, _, name = selected.partition("::")
        assert (settings.BASE_DIR / path).exists(), path
        assert not name or f"class {name}:" in (settings.BASE_DIR / path).read_text(), selected
