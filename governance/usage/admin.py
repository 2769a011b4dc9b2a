from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.usage.models import (
    DataKey,
    DirtyAccount,
    EventConflict,
    Excerpt,
    HeldEvent,
    HourlyProfile,
    LastUsage,
    LateDay,
    NewNameCount,
    ProfileDelta,
    ReportedAnswer,
    Retention,
    UsageEvent,
    WeeklySketch,
)
from governance.usage.profiles.histograms import describe
from governance.usage.profiles.merging import SKETCHES


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "account", "model", "operation", "status", "input_tokens", "output_tokens")
    list_filter = ("status", "source")
    search_fields = ("=event_id", "=account__external_id")
    list_select_related = ("account",)
    date_hierarchy = "occurred_at"


@admin.register(HourlyProfile, ProfileDelta)
class HourlyProfileAdmin(ReadOnlyAdmin):
    list_display = ("hour", "account", "model", "requests", "failures", "input_tokens", "output_tokens")
    exclude = tuple(SKETCHES)
    search_fields = ("=account__external_id", "model")
    list_select_related = ("account",)


@admin.register(WeeklySketch)
class WeeklySketchAdmin(ReadOnlyAdmin):
    list_display = ("week", "account", "model")
    fields = ("account", "model", "week", "counted")
    readonly_fields = ("counted",)
    search_fields = ("=account__external_id", "model")
    list_select_related = ("account",)

    @admin.display(description="What was counted")
    def counted(self, sketch: WeeklySketch) -> str:
        return "\n".join(f"{kind} {name}: {count:,}" for kind, name, count in describe(bytes(sketch.histograms)))


@admin.register(DirtyAccount)
class DirtyAccountAdmin(ReadOnlyAdmin):
    list_display = (
        "account",
        "dirty_since",
        "version",
        "lease_until",
        "attempts",
        "last_error",
        "dead_lettered_at",
    )
    list_filter = (("dead_lettered_at", admin.EmptyFieldListFilter),)
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)


@admin.register(ReportedAnswer)
class KnownAnswerAdmin(ReadOnlyAdmin):
    list_display = ("key", "is_finished", "in_background", "newest_at")
    list_filter = ("is_finished", "in_background")


@admin.register(EventConflict)
class EventConflictAdmin(ReadOnlyAdmin):
    list_display = ("day", "account", "source", "events", "in_time_alone", "newest_at")
    list_filter = ("source",)
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)


@admin.register(HeldEvent)
class HeldEventAdmin(ReadOnlyAdmin):
    list_display = ("day", "account", "key")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)


@admin.register(LateDay)
class LateDayAdmin(ReadOnlyAdmin):
    list_display = ("day",)
    list_filter = ("day",)


@admin.register(Excerpt)
class ExcerptAdmin(ReadOnlyAdmin):
    """That an excerpt is kept, not what it says: texts are shown on the case page alone."""

    list_display = ("occurred_at", "account", "model", "expires_at")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)
    exclude = ("ciphertext",)


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin):
    """That an account has a key for its excerpts, not the key."""

    list_display = ("account", "created_at")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)
    exclude = ("encrypted_key",)


@admin.register(NewNameCount)
class NewNamesAdmin(ReadOnlyAdmin):
    list_display = ("hour", "service_key", "names")
    search_fields = ("service_key__name",)
    list_select_related = ("service_key",)


@admin.register(Retention)
class RetentionAdmin(ReadOnlyAdmin):
    list_display = ("kept_from",)


@admin.register(LastUsage)
class UsageArrivalAdmin(ReadOnlyAdmin):
    list_display = ("service_key", "newest_at", "received_at")
    search_fields = ("service_key__name",)
    list_select_related = ("service_key",)
