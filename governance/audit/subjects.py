"""Names and links for what entries are about.

An entry names its subject by kind and id, as its hash covers it, and for a case or a person that is a UUID. Each room
says in its own `subjects.py` how the things of a kind are called and where they are shown; that is looked up when the
log is read, for all entries of a page at once, so that what is stored stays as it was written.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple
from uuid import UUID

from governance.audit.models import Entry

RESTRICTION: Final = "restriction"


class SubjectLink(NamedTuple):
    """What people call a thing, and the address of its page, if it has one."""

    label: str
    url: str = ""


# The subjects with these ids, by id; those that are gone are left out.
FindSubjects = Callable[[Collection[str]], Mapping[str, SubjectLink]]

_finders: dict[str, FindSubjects] = {}


def subject_finder(kind: str) -> Callable[[FindSubjects], FindSubjects]:
    """Register a function that finds the subjects of a kind, in one query."""

    def register(finder: FindSubjects) -> FindSubjects:
        _finders[kind] = finder
        return finder

    return register


def find_subjects(entries: Iterable[Entry]) -> dict[int, list[SubjectLink]]:
    """What each entry is about, by its number: its subject, then the restriction that it tells of."""
    names = {entry.number: _names(entry) for entry in entries}
    wanted: dict[str, set[str]] = {}
    for kind, identifier in (name for found in names.values() for name in found):
        wanted.setdefault(kind, set()).add(identifier)
    found = {kind: _finders[kind](ids) for kind, ids in wanted.items() if kind in _finders}
    return {
        number: [
            found.get(kind, {}).get(identifier, SubjectLink(_in_words(kind, identifier))) for kind, identifier in about
        ]
        for number, about in names.items()
    }


def _in_words(kind: str, identifier: str) -> str:
    return f"{kind.replace('_', ' ')} {identifier}"


def valid_uuids(ids: Iterable[str]) -> list[UUID]:
    """Those ids that are UUIDs."""
    found = []
    for identifier in ids:
        with suppress(ValueError):
            found.append(UUID(identifier))
    return found


def _names(entry: Entry) -> list[tuple[str, str]]:
    """Kinds and ids of what an entry is about."""
    names = [(entry.subject_kind, entry.subject_id)]
    number = entry.details.get("number" if entry.verb.startswith("restriction.") else RESTRICTION)
    if isinstance(number, int):
        names.append((RESTRICTION, str(number)))
    return names
