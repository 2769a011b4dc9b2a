"""Change the pure modules in small ways, one at a time, and print which changes no test notices: `make mutants`.

`[tool.mutmut]` in pyproject.toml names the modules and their tests. tests/mutants.md says of those that survive why.
"""

import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LEAST: Final = 85.0
KILLED: Final = {"killed", "timeout", "segfault"}
MUTMUT: Final = Path(sys.executable).with_name("mutmut")


def count_by_module(results: Iterable[str], module: str = "") -> dict[str, Counter[str]]:
    """Return how many mutants of each module ended how, from lines such as "accounts.register.x_f__mutmut_1: killed".

    Those of `module` only, where one is given; what was not checked is left out.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in results:
        mutant, _, status = line.strip().rpartition(": ")
        name = mutant.rpartition(".")[0]
        if status != "not checked" and module in {"", name}:
            found[name][status] += 1
    return found


def percent_killed(statuses: Counter[str]) -> float:
    return 100.0 * sum(statuses[status] for status in KILLED) / statuses.total()


def main(module: str = "") -> int:
    # What was copied before may be older than the sources.
    shutil.rmtree("mutants", ignore_errors=True)
    subprocess.run([MUTMUT, "run", *([f"{module}.*"] if module else [])], check=True)
    listed = subprocess.run([MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True).stdout
    results = listed.splitlines()
    by_module = count_by_module(results, module)
    whole = sum(by_module.values(), Counter[str]())
    for line in results:
        mutant, _, status = line.strip().rpartition(": ")
        if status in {"survived", "no tests"} and mutant.rpartition(".")[0] in by_module:
            print(f"{status}: {mutant}")  # noqa: T201 - it is the report
    print(f"\n{'module':<48}{'mutants':>8}{'killed':>8}")  # noqa: T201
    for name, statuses in [*sorted(by_module.items()), ("all", whole)]:
        print(f"{name:<48}{statuses.total():>8}{percent_killed(statuses):>7.1f}%")  # noqa: T201
    print(f"\nTo look at one: {MUTMUT} show NAME")  # noqa: T201
    below = [name for name, statuses in by_module.items() if percent_killed(statuses) < LEAST]
    if below:
        print(f"Below {LEAST:.0f} %: {', '.join(below)}", file=sys.stderr)  # noqa: T201
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
