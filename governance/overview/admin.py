from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.overview.models import DailyMedian, HarmMeasure


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


@admin.register(DailyMedian)
class DailyMedianAdmin(ReadOnlyAdmin):
    list_display = ("day", "measured_at", "median_to_decide")
