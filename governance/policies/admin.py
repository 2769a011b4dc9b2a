from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.policies.models import AutomaticSwitch, PolicyOutcome, PolicyVersion


@admin.register(PolicyVersion)
class PolicyVersionAdmin(HistoryAdmin):
    list_display = ("version", "state", "proposed_at", "proposed_by", "live_since", "approved_by")
    list_filter = ("state",)
    search_fields = ("version",)
    list_select_related = ("proposed_by", "approved_by")


@admin.register(PolicyOutcome)
class PolicyOutcomeAdmin(HistoryAdmin):
    list_display = ("policy", "account", "rule", "kind", "state", "at", "due_at", "because")
    list_filter = ("state", "policy")
    search_fields = ("account__external_id",)
    list_select_related = ("policy", "account")


@admin.register(AutomaticSwitch)
class AutomaticSwitchAdmin(HistoryAdmin):
    list_display = ("__str__", "off_since", "by", "why")
