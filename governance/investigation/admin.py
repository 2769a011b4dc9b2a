from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.investigation.models import WatchedAccount


@admin.register(WatchedAccount)
class WatchedAccountAdmin(ReadOnlyAdmin):
    list_display = ("account", "score", "added_at", "added_by", "reason")
    search_fields = ("=account__external_id",)
    list_select_related = ("account", "added_by")
