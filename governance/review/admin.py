from django.contrib import admin

from governance.audit.filters import PeriodFilter
from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.review.models import (
    BulkDecision,
    BulkTarget,
    Case,
    CaseViewer,
    Decision,
    DecisionTarget,
    InboxItem,
    SavedView,
    SkippedCase,
    Step,
)


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    list_display = ("subject", "status", "score", "band", "opened_at", "due_at", "claimed_by", "closed_at")
    list_filter = ("status", "band", ("opened_at", PeriodFilter), ("closed_at", PeriodFilter))
    search_fields = ("=id", "=account__external_id", "=campaign__id")
    list_select_related = ("account", "campaign", "claimed_by")


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    list_display = ("at", "case", "kind", "by")
    list_filter = ("kind", ("at", PeriodFilter))
    search_fields = ("=case__account__external_id", "by")
    list_select_related = ("case__account", "case__campaign")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("decided_at", "case", "action", "reason", "decided_by", "restriction")
    list_filter = ("action", "reason", "decided_by", ("decided_at", PeriodFilter))
    search_fields = ("=id", "=case__account__external_id", "decided_by__name")
    list_select_related = ("case__account", "case__campaign", "decided_by", "restriction__account")


@admin.register(DecisionTarget)
class DecisionTargetAdmin(ReadOnlyAdmin):
    list_display = ("decision", "account", "left_out_because")
    search_fields = ("=decision__id", "=account__external_id")
    list_select_related = ("account", "decision__decided_by")


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner", "is_shared", "query", "created_at")
    list_filter = ("is_shared",)
    search_fields = ("name", "owner__name")
    list_select_related = ("owner",)


@admin.register(InboxItem)
class InboxItemAdmin(ReadOnlyAdmin):
    list_display = ("at", "user", "kind", "case", "by", "read_at")
    list_filter = ("kind",)
    search_fields = ("=case__account__external_id", "user__name")
    list_select_related = ("user", "by", "case__account")


@admin.register(SkippedCase)
class SkippedCaseAdmin(ReadOnlyAdmin):
    list_display = ("at", "case", "user")
    search_fields = ("=case__account__external_id", "user__name")
    list_select_related = ("user", "case__account")


@admin.register(CaseViewer)
class CaseViewerAdmin(ReadOnlyAdmin):
    list_display = ("seen_at", "case", "user")
    search_fields = ("=case__account__external_id", "user__name")
    list_select_related = ("user", "case__account")


@admin.register(BulkDecision)
class BulkDecisionAdmin(ReadOnlyAdmin):
    list_display = ("decided_at", "action", "reason", "decided_by", "undone_at", "is_unfinished")
    list_filter = ("action", "decided_by", ("decided_at", PeriodFilter))
    search_fields = ("=id", "decided_by__name")
    list_select_related = ("decided_by",)


@admin.register(BulkTarget)
class BulkTargetAdmin(ReadOnlyAdmin):
    list_display = ("bulk", "account", "state", "because", "decision")
    list_filter = ("state",)
    search_fields = ("=bulk__id", "=account__external_id")
    list_select_related = ("bulk__decided_by", "account", "decision__decided_by")
