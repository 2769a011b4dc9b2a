from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.enforcement.models import (
    Arrival,
    AutomaticSwitch,
    Change,
    CoveredAccount,
    CoveredName,
    Delivery,
    FeedEpoch,
    Gateway,
    Holder,
    LiftedOrigin,
    LostDecision,
    LostName,
    PolicyOutcome,
    Probe,
    Pushed,
    Refusal,
    Repair,
    Restriction,
    Webhook,
)


@admin.register(Restriction)
class RestrictionAdmin(HistoryAdmin):
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
    list_filter = ("kind", "reason", "ending")
    search_fields = (
        "account__external_id",
        "key__external_id",
        "organisation__external_id",
        "author",
        "unique_key",
    )
    list_select_related = ("account", "key", "organisation")


@admin.register(Change)
class ChangeAdmin(HistoryAdmin):
    list_display = ("number", "restriction", "what", "at")
    list_filter = ("what",)
    search_fields = ("restriction__account__external_id",)
    list_select_related = ("restriction__account", "restriction__key", "restriction__organisation")
    ordering = ("-number",)


@admin.register(CoveredName)
class CoveredNameAdmin(HistoryAdmin):
    list_display = ("restriction", "kind", "name")
    list_filter = ("kind",)
    search_fields = ("name",)
    list_select_related = ("restriction__account", "restriction__key", "restriction__organisation")


@admin.register(LiftedOrigin)
class LiftedOriginAdmin(HistoryAdmin):
    list_display = ("origin",)
    search_fields = ("origin",)


@admin.register(CoveredAccount)
class CoveredAccountAdmin(HistoryAdmin):
    list_display = ("restriction", "account")
    search_fields = ("account__external_id",)
    list_select_related = (
        "account",
        "restriction__account",
        "restriction__key",
        "restriction__organisation",
    )


@admin.register(Gateway)
class GatewayAdmin(HistoryAdmin):
    list_display = ("name", "service_key", "asked_at", "canary_account", "litellm_url", "compared_at")
    list_select_related = ("service_key", "canary_account")
    exclude = ("canary_headers", "litellm_key")


@admin.register(Refusal)
class RefusalAdmin(HistoryAdmin):
    list_display = ("gateway", "restriction", "first_at", "last_at", "count")
    list_filter = ("gateway",)
    list_select_related = ("gateway", "restriction__account", "restriction__key", "restriction__organisation")


@admin.register(Probe)
class ProbeAdmin(HistoryAdmin):
    list_display = ("gateway", "at", "lifting", "outcome", "took_ms", "detail")
    list_filter = ("gateway", "outcome")
    list_select_related = ("gateway",)


@admin.register(Webhook)
class WebhookAdmin(HistoryAdmin):
    list_display = ("url", "created_at", "created_by", "sequence", "disabled_at", "disabled_because")
    exclude = ("secrets",)


@admin.register(Delivery)
class DeliveryAdmin(HistoryAdmin):
    list_display = ("webhook", "change", "state", "attempts", "due_at", "last_status", "last_error")
    list_filter = ("state",)
    list_select_related = ("webhook", "change")


@admin.register(PolicyOutcome)
class PolicyOutcomeAdmin(HistoryAdmin):
    list_display = ("policy", "account", "rule", "kind", "state", "at", "due_at", "because")
    list_filter = ("state", "policy")
    search_fields = ("account__external_id",)
    list_select_related = ("policy", "account")


@admin.register(Holder)
class HolderAdmin(HistoryAdmin):
    list_display = ("gateway", "instance", "sequence", "started_at", "seen_at")
    list_filter = ("gateway",)
    list_select_related = ("gateway",)


@admin.register(Arrival)
class ArrivalAdmin(HistoryAdmin):
    list_display = ("holder", "sequence", "at")
    list_select_related = ("holder__gateway",)
    ordering = ("-at",)


@admin.register(FeedEpoch)
class FeedEpochAdmin(HistoryAdmin):
    list_display = ("identifier", "starts_after", "continues", "began_at", "reason", "author")


@admin.register(LostDecision)
class LostDecisionAdmin(HistoryAdmin):
    list_display = ("number", "what", "target", "epoch", "gateway", "restriction", "noted_at", "outcome", "settled_by")
    list_filter = ("what", "outcome")
    list_select_related = ("epoch", "gateway", "restriction")


@admin.register(LostName)
class LostNameAdmin(HistoryAdmin):
    list_display = ("kind", "name", "account", "key", "organisation", "restored_at")
    list_filter = ("kind",)
    search_fields = ("name",)
    list_select_related = ("account", "key", "organisation")


@admin.register(Pushed)
class PushedAdmin(HistoryAdmin):
    list_display = ("gateway", "kind", "name", "because", "blocked_at")
    list_filter = ("gateway",)
    search_fields = ("name",)
    list_select_related = ("gateway",)


@admin.register(Repair)
class RepairAdmin(HistoryAdmin):
    list_display = ("gateway", "at", "name", "blocked", "mended", "detail")
    list_filter = ("gateway", "mended")
    search_fields = ("name",)
    list_select_related = ("gateway",)


@admin.register(AutomaticSwitch)
class AutomaticSwitchAdmin(HistoryAdmin):
    list_display = ("__str__", "off_since", "by", "why")
