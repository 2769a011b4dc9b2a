from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.evidence.models import EvidenceBundle, SealedAccount, UsageSeal


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


@admin.register(EvidenceBundle)
class EvidenceBundleAdmin(ReadOnlyAdmin):
    list_display = ("requested_at", "case", "requested_by", "state", "size_bytes")
    list_filter = ("state",)
    list_select_related = ("case__account", "case__campaign", "requested_by")
