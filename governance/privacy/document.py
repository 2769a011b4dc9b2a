"""docs/privacy.md, made of the rules and of document.md beside this: `make docs` writes it. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from governance.audit.verbs import Verb
from governance.privacy.log_details import is_typed, names_staff
from governance.privacy.rule import Purpose, Rule
from governance.privacy.rules import RULES

SENTENCES: Final = Path(__file__).with_suffix(".md")


def privacy_as_markdown() -> str:
    """Return the whole document."""
    by_purpose = defaultdict[Purpose, list[Rule]](list)
    for rule in RULES:
        by_purpose[rule.purpose].append(rule)
    purposes = [f"| {purpose.name.capitalize()} | {purpose.why} | {purpose.ground} |\n" for purpose in Purpose]
    tables = [_table(purpose, by_purpose[purpose]) for purpose in Purpose]
    return SENTENCES.read_text().format(purposes="".join(purposes), tables="".join(tables), entries="".join(_entries()))


def _table(purpose: Purpose, rules: list[Rule]) -> str:
    heading = (
        f"\n### {purpose.name.capitalize()}\n\n| Table | Of a person | Kept | By an erasure |\n|---|---|---|---|\n"
    )
    return heading + "".join(map(_row, rules))


def _row(rule: Rule) -> str:
    by_meaning = defaultdict[str, list[str]](list)
    for name, meaning in rule.said.items():
        by_meaning[meaning].append(f"`{name}`")
    said = "; ".join(f"{', '.join(names)}: {meaning}" for meaning, names in by_meaning.items())
    kept = f"{rule.ends.words} ({rule.ends.by})" if rule.ends is not None else rule.kept
    return f"| {rule.table} | {said or 'nothing'} | {kept} | {rule.words_of_erasure} |\n"


def _entries() -> Iterator[str]:
    for verb in sorted(Verb):
        fields = sorted(verb.required | verb.optional)
        typed = ", ".join(f"`{name}`" for name in fields if is_typed(verb, name))
        staff = ", ".join(f"`{name}`" for name in fields if names_staff(verb, name))
        if typed or staff:
            yield f"| {verb} | {typed or '–'} | {staff or '–'} |\n"


if __name__ == "__main__":
    print(privacy_as_markdown(), end="")  # noqa: T201 - to standard output, as `make docs` reads it
