from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.sharing.models import Indicator, Partner, Share, SharedObject


@admin.register(Partner)
class PartnerAdmin(ReadOnlyAdmin):
    list_display = ("name", "receives", "sends", "tlp", "shown_prefix", "expires_at", "revoked_at", "last_used_at")
    exclude = ("token_digest", "shared_keys", "collection_token")


@admin.register(Share)
class ShareAdmin(ReadOnlyAdmin):
    list_display = ("campaign", "partner", "state", "tlp", "accounts", "proposed_at", "proposed_by", "decided_by")
    list_filter = ("state", "tlp")
    list_select_related = ("campaign", "partner", "proposed_by", "decided_by")


@admin.register(SharedObject)
class SharedObjectAdmin(ReadOnlyAdmin):
    list_display = ("stix_id", "partner", "stix_type", "version", "added_at")
    list_filter = ("stix_type",)
    list_select_related = ("partner",)


@admin.register(Indicator)
class IndicatorAdmin(ReadOnlyAdmin):
    list_display = ("stix_id", "partner", "kind", "value", "valid_until", "revoked_at", "received_at")
    list_filter = ("kind",)
    list_select_related = ("partner",)
