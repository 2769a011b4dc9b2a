from django.contrib import admin

from governance.audit.filters import PeriodFilter
from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.policies.models import KillSwitch, PolicyOutcome, PolicyVersion


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    list_display = ("version", "state", "proposed_at", "proposed_by", "live_since", "approved_by")
    list_filter = ("state",)
    search_fields = ("version",)
    list_select_related = ("proposed_by", "approved_by")


@admin.register(PolicyOutcome)
class PolicyOutcomeAdmin(ReadOnlyAdmin):
    list_display = ("policy", "account", "rule", "kind", "state", "at", "due_at", "because")
    list_filter = ("state", "policy", ("at", PeriodFilter))
    search_fields = ("account__external_id",)
    list_select_related = ("policy", "account")


@admin.register(KillSwitch)
class KillSwitchAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "off_since", "by", "why")
