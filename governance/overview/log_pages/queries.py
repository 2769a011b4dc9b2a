"""Entries of the audit log by who, about whom, what and when; what one of them says; and its proof."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db.models import Q, TextChoices

from governance.audit.models import Entry, EntryQuerySet
from governance.audit.proofs import InclusionProof, Prover
from governance.audit.queries import leaf_of
from governance.audit.stillwatch_verify import LogFaultError
from governance.audit.subjects import SubjectLink, find_subjects
from governance.review.models import Case
from governance.staff.models import User

PAGE: Final = 50
# Pairs of fields that say what was before and what is after.
BEFORE_AND_AFTER: Final = (("before", "after"), ("from", "to"))


class FileFormat(TextChoices):
    NDJSON = "ndjson", "NDJSON"
    CSV = "csv", "CSV"


class LogFilter(NamedTuple):
    """Which entries: `who` is kind:id of an actor, `about` an id or an e-mail address of what they are about, which is
    of this `kind`; the days are of UTC, both included.
    """

    who: str = ""
    kind: str = ""
    about: str = ""
    verb: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_narrow(self) -> bool:
        return self != LogFilter()

    def as_details(self) -> dict[str, str]:
        """What is set, as the entry about an export keeps it."""
        return {name: str(value) for name, value in self._asdict().items() if value}


class LogPage(NamedTuple):
    """Entries, the newest first, each with what it is about, and before which number the next page begins."""

    rows: Sequence[tuple[Entry, list[SubjectLink]]]
    next_before: int | None


def matching_entries(wanted: LogFilter) -> EntryQuerySet:
    entries: EntryQuerySet = Entry.objects.all()
    if wanted.who:
        kind, _, identifier = wanted.who.partition(":")
        entries = entries.filter(actor_kind=kind, actor_id=identifier)
    if wanted.about:
        entries = entries.filter(_about(wanted.about))
    if wanted.kind:
        entries = entries.filter(subject_kind=wanted.kind)
    if wanted.verb:
        entries = entries.filter(verb=wanted.verb)
    if wanted.first:
        entries = entries.filter(at__gte=_start(wanted.first))
    return entries.filter(at__lt=_start(wanted.last) + timedelta(days=1)) if wanted.last else entries


def list_entries(wanted: LogFilter, *, before: int | None = None) -> LogPage:
    entries = matching_entries(wanted)
    if before is not None:
        entries = entries.filter(number__lt=before)
    found = list(entries.order_by("-number")[: PAGE + 1])
    subjects = find_subjects(found[:PAGE])
    rows = [(entry, subjects[entry.number]) for entry in found[:PAGE]]
    return LogPage(rows, found[PAGE - 1].number if len(found) > PAGE else None)


class Change(NamedTuple):
    """A field with what was before and what is after."""

    name: str
    before: object
    after: object


class EntryDetail:
    """What the page of an entry shows."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.trouble = ""

    @cached_property
    def subjects(self) -> list[SubjectLink]:
        return find_subjects([self.entry])[self.entry.number]

    @cached_property
    def changes(self) -> list[Change]:
        """What was before and what is after, field by field where both have fields."""
        found: list[Change] = []
        for names in self._pairs:
            before, after = (self.entry.details[name] for name in names)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                fields = sorted({*before, *after})
                found += [Change(field, before.get(field), after.get(field)) for field in fields]
            else:
                found.append(Change("", before, after))
        return found

    @property
    def others(self) -> list[tuple[str, Any]]:
        """The other fields of its details."""
        shown = {name for names in self._pairs for name in names}
        return sorted((name, _listed(value)) for name, value in self.entry.details.items() if name not in shown)

    @property
    def _pairs(self) -> list[tuple[str, str]]:
        return [names for names in BEFORE_AND_AFTER if self.entry.details.keys() >= {*names}]

    @cached_property
    def proof(self) -> InclusionProof | None:
        """None while it is not published; `trouble` says what else keeps it from being proved."""
        try:
            return Prover().prove(self.entry.number, leaf_of(self.entry))
        except LogFaultError as fault:
            self.trouble = str(fault)
        except OSError as error:
            self.trouble = f"the published log cannot be read here: {error.strerror}"
        return None


def _about(typed: str) -> Q:
    """Entries about the thing with this id: of an account, with its cases; of a person, by their e-mail."""
    cases = Case.objects.filter(account__external_id=typed).values_list("pk", flat=True)
    people = User.objects.filter(email=typed.lower()).values_list("pk", flat=True)
    return Q(subject_id__in=[typed, *map(str, cases), *map(str, people)])


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _listed(value: object) -> object:
    """Return a list as people write it; anything else as it is."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value
