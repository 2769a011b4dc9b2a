from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.overview.models import HarmMeasure, WorkDay


@admin.register(HarmMeasure)
class HarmMeasureAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "measured_at",
        "accounts_in_flight",
        "tokens_in_flight",
        "accounts_stopped",
        "tokens_stopped",
        "requests_refused",
    )


@admin.register(WorkDay)
class WorkDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "counted_at", "opened", "decided", "median_to_decide")
