from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.configuration.models import DueTarget, ReasonOverride


@admin.register(DueTarget)
class DueTargetAdmin(ReadOnlyAdmin):
    list_display = ("band", "hours")


@admin.register(ReasonOverride)
class ReasonOverrideAdmin(ReadOnlyAdmin):
    list_display = ("reason", "is_offered", "terms_clause")
    list_filter = ("is_offered",)
