from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.evidence.models import SealedAccount, UsageSeal


@admin.register(UsageSeal)
class UsageSealAdmin(ReadOnlyAdmin):
    list_display = ("day", "number", "accounts", "events", "sealed_at", "entry")
    date_hierarchy = "day"
    exclude = ("root",)


@admin.register(SealedAccount)
class SealedAccountAdmin(ReadOnlyAdmin):
    list_display = ("seal", "account", "events")
    search_fields = ("=account__external_id",)
    list_select_related = ("seal", "account")
    exclude = ("root",)
