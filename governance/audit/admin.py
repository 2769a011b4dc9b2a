from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.audit.models import Entry


@admin.register(Entry)
class EntryAdmin(HistoryAdmin):
    list_display = ("number", "at", "actor_name", "verb", "subject_kind", "subject_id")
    list_filter = ("actor_kind", "verb", "subject_kind")
    search_fields = ("actor_name", "subject_id", "verb")
