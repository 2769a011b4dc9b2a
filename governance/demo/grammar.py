"""Sentences from rules, so that invented customers write differently every time and the same for a seed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

_CONTINUATION = re.compile(r"(?<=[^\s⏎]) {8,}")
_SLOT = re.compile(r"\{(\^?)([a-z_]+)\}|\{(\d+)-(\d+)\}")


@dataclass(frozen=True, slots=True)
class _Slot:
    rule: str
    capital: bool


@dataclass(frozen=True, slots=True)
class _Number:
    low: int
    values: int


_Part = str | _Slot | _Number


class Grammar:
    """Rules by name; a rule's text holds its options, one a line or parted by ` | `.

    In an option `{rule}` stands for a draw from another rule, `{^rule}` for one with a capital first letter,
    `{10-99}` for a whole number in that range, and `⏎` for a line break. Anything else in braces is plain
    text. A long option goes on after a backslash on the next line. A grammar may stand on others and use their
    rules; a slot without a rule raises KeyError when the grammar is made.
    """

    def __init__(self, rules: Mapping[str, str], *bases: "Grammar") -> None:
        self._options: dict[str, list[tuple[_Part, ...]]] = {}
        for base in bases:
            self._options.update(base._options)  # noqa: SLF001 - a grammar's own kind
        for name, text in rules.items():
            lines = _CONTINUATION.sub(" ", text.strip()).splitlines()
            options = [option.strip().replace("⏎", "\n") for line in lines for option in line.split(" | ")]
            self._options[name] = [_parts(option) for option in options]
        for parts in self._options.values():
            for part in (part for option in parts for part in option):
                if isinstance(part, _Slot):
                    self._options[part.rule]

    def say(self, rule: str, dice: Random, **given: str) -> str:
        """Return one sentence of the rule; `given` fixes what its slots of these names say."""
        said: list[str] = []
        self._say(rule, dice, given, said)
        return "".join(said)

    def _say(self, rule: str, dice: Random, given: Mapping[str, str], said: list[str]) -> None:
        options = self._options[rule]
        for part in options[int(dice.random() * len(options))]:
            if isinstance(part, str):
                said.append(part)
            elif isinstance(part, _Number):
                said.append(str(part.low + int(dice.random() * part.values)))
            else:
                mark = len(said)
                if part.rule in given:
                    said.append(given[part.rule])
                else:
                    self._say(part.rule, dice, given, said)
                if part.capital:
                    said[mark] = said[mark][:1].upper() + said[mark][1:]


def _parts(option: str) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    end = 0
    for slot in _SLOT.finditer(option):
        if slot.start() > end:
            parts.append(option[end : slot.start()])
        capital, rule, low, high = slot.groups()
        parts.append(_Slot(rule, bool(capital)) if rule else _Number(int(low), int(high) - int(low) + 1))
        end = slot.end()
    if end < len(option):
        parts.append(option[end:])
    return tuple(parts)
