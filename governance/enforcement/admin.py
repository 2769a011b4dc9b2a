from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.enforcement.models import Restriction


@admin.register(Restriction)
class RestrictionAdmin(HistoryAdmin):
    list_display = (
        "number",
        "account",
        "key",
        "kind",
        "reason",
        "starts_at",
        "expires_at",
        "ended_at",
        "author",
    )
    list_filter = ("kind", "reason", "ending")
    search_fields = ("account__external_id", "key__external_id", "author", "unique_key")
    list_select_related = ("account", "key")
