from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.detection.models import (
    AccountScore,
    Assessment,
    CalibrationVersion,
    Corpus,
    CorpusShingle,
    PartnerMatch,
)


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    list_display = ("account", "assessed_at", "score", "band", "licensed", "events", "model_version")
    list_filter = ("band", "licensed", "model_version")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)
    date_hierarchy = "assessed_at"


@admin.register(AccountScore)
class AccountScoreAdmin(ReadOnlyAdmin):
    list_display = ("account", "score", "band", "assessed_at")
    list_filter = ("band",)
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)


@admin.register(Corpus)
class CorpusAdmin(ReadOnlyAdmin):
    list_display = ("name", "evaluation", "texts", "runs", "added_at")


@admin.register(CorpusShingle)
class CorpusShingleAdmin(ReadOnlyAdmin):
    list_display = ("digest", "corpus")
    search_fields = ("=digest",)
    list_select_related = ("corpus",)


@admin.register(CalibrationVersion)
class CalibrationVersionAdmin(ReadOnlyAdmin):
    list_display = ("version", "in_force_since", "put_in_force_by")


@admin.register(PartnerMatch)
class PartnerMatchAdmin(ReadOnlyAdmin):
    list_display = ("account", "partner", "kind", "since")
    list_filter = ("kind",)
    list_select_related = ("account",)
