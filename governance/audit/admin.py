from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.audit.models import Entry


@admin.register(Entry)
class EntryAdmin(HistoryAdmin):
    list_display = ("number", "at", "actor_name", "verb", "about", "what")
    list_filter = ("actor_kind", "verb", "subject_kind")
    search_fields = ("actor_name", "subject_id", "verb", "details")

    @admin.display(description="About")
    def about(self, entry: Entry) -> str:
        """The account where the entry speaks of one, else its subject."""
        return str(entry.details.get("account") or entry.subject_id)

    @admin.display(description="What")
    def what(self, entry: Entry) -> str:
        """The words among the details: action, kind, reason, note."""
        said = (entry.details.get(name) for name in ("action", "kind", "reason", "note"))
        return ", ".join(str(word) for word in said if word)
