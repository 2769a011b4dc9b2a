from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from governance.audit.filters import PeriodFilter, WhoFilter
from governance.audit.models import Checkpoint, Entry, PublicationTrouble
from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.audit.subjects import SubjectLink, find_subjects


class EntryChangeList(ChangeList):
    """Looks up what the entries of a page are about, all at once."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        entries: list[Any] = list(self.result_list)
        subjects = find_subjects(entries)
        for entry in entries:
            entry.subjects = subjects[entry.number]
        self.result_list = entries


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "at", "actor_name", "verb", "about", "what")
    list_filter = (WhoFilter, "actor_kind", "verb", "subject_kind", ("at", PeriodFilter))
    search_fields = ("actor_name", "subject_id", "verb", "details")
    fields = (
        "number",
        "at",
        "actor_kind",
        "actor_id",
        "actor_name",
        "verb",
        "about",
        "subject_kind",
        "subject_id",
        "details",
    )
    readonly_fields: ClassVar = ["about"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EntryChangeList

    @admin.display(description="About")
    def about(self, entry: Entry) -> SafeString:
        """What the entry is about, with links; a page of entries has looked that up for all of them."""
        subjects = getattr(entry, "subjects", None) or find_subjects([entry])[entry.number]
        return format_html_join(", ", "{}", ((_subject_link(subject),) for subject in subjects))

    @admin.display(description="What")
    def what(self, entry: Entry) -> str:
        """The words among the details: action, kind, reason, note."""
        said = (entry.details.get(name) for name in ("action", "kind", "reason", "note"))
        return ", ".join(str(word) for word in said if word)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ("origin", "size", "at", "folder", "cosigned_at", "stamped_at")
    list_filter = (("at", PeriodFilter),)
    fields = ("origin", "size", "at", "note", "folder", "cosigned_at", "cosignatures", "stamped_at")


@admin.register(PublicationTrouble)
class PublicationTroubleAdmin(ReadOnlyAdmin):
    list_display = ("kind", "message", "since")
    fields = ("kind", "message", "since")


def _subject_link(subject: SubjectLink) -> str:
    return format_html('<a href="{}">{}</a>', subject.url, subject.label) if subject.url else subject.label
