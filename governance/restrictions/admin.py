from django.contrib import admin

from governance.audit.filters import PeriodFilter
from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.restrictions.models import (
    Change,
    CoveredAccount,
    CoveredName,
    FeedEpoch,
    LiftedOrigin,
    LostName,
    Restriction,
)


@admin.register(Restriction)
class RestrictionAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "account",
        "key",
        "organisation",
        "kind",
        "reason",
        "starts_at",
        "expires_at",
        "ended_at",
        "author",
    )
    list_filter = ("kind", "reason", "ending", ("starts_at", PeriodFilter), ("ended_at", PeriodFilter))
    search_fields = (
        "account__external_id",
        "key__external_id",
        "organisation__external_id",
        "author",
        "unique_key",
    )
    list_select_related = ("account", "key", "organisation")


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    list_display = ("number", "restriction", "what", "at")
    list_filter = ("what", ("at", PeriodFilter))
    search_fields = ("restriction__account__external_id",)
    list_select_related = ("restriction__account", "restriction__key", "restriction__organisation")
    ordering = ("-number",)


@admin.register(CoveredName)
class CoveredNameAdmin(ReadOnlyAdmin):
    list_display = ("restriction", "kind", "name")
    list_filter = ("kind",)
    search_fields = ("name",)
    list_select_related = ("restriction__account", "restriction__key", "restriction__organisation")


@admin.register(CoveredAccount)
class CoveredAccountAdmin(ReadOnlyAdmin):
    list_display = ("restriction", "account")
    search_fields = ("account__external_id",)
    list_select_related = (
        "account",
        "restriction__account",
        "restriction__key",
        "restriction__organisation",
    )


@admin.register(FeedEpoch)
class FeedEpochAdmin(ReadOnlyAdmin):
    list_display = ("identifier", "starts_after", "continues", "began_at", "reason", "author")


@admin.register(LiftedOrigin)
class LiftedOriginAdmin(ReadOnlyAdmin):
    list_display = ("origin",)
    search_fields = ("origin",)


@admin.register(LostName)
class LostNameAdmin(ReadOnlyAdmin):
    list_display = ("kind", "name", "account", "key", "organisation", "restored_at")
    list_filter = ("kind",)
    search_fields = ("name",)
    list_select_related = ("account", "key", "organisation")
