from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.risk.models import Assessment, TemplateUse


@admin.register(Assessment)
class AssessmentAdmin(HistoryAdmin):
    list_display = ("account", "assessed_at", "score", "band", "licensed", "events", "model_version")
    list_filter = ("band", "licensed", "model_version")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)
    date_hierarchy = "assessed_at"


@admin.register(TemplateUse)
class TemplateUseAdmin(HistoryAdmin):
    list_display = ("template_digest", "account", "events", "seen_at")
    search_fields = ("=template_digest", "=account__external_id")
    list_select_related = ("account",)
