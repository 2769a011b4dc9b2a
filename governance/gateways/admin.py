from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.gateways.models import (
    CanaryProbe,
    DriftRepair,
    Gateway,
    GatewayInstance,
    LiteLlmPush,
    LostDecision,
    PropagationEntry,
    Refusal,
)


@admin.register(Gateway)
class GatewayAdmin(ReadOnlyAdmin):
    list_display = ("name", "service_key", "asked_at", "canary_account", "litellm_url", "compared_at")
    list_select_related = ("service_key", "canary_account")
    exclude = ("canary_headers", "litellm_key")


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "restriction", "first_at", "last_at", "count")
    list_filter = ("gateway",)
    list_select_related = ("gateway", "restriction__account", "restriction__key", "restriction__organisation")


@admin.register(CanaryProbe)
class CanaryProbeAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "at", "lifting", "outcome", "took_ms", "detail")
    list_filter = ("gateway", "outcome")
    list_select_related = ("gateway",)


@admin.register(GatewayInstance)
class GatewayInstanceAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "instance", "sequence", "started_at", "seen_at")
    list_filter = ("gateway",)
    list_select_related = ("gateway",)


@admin.register(PropagationEntry)
class PropagationEntryAdmin(ReadOnlyAdmin):
    list_display = ("gateway_instance", "sequence", "at")
    list_select_related = ("gateway_instance__gateway",)
    ordering = ("-at",)


@admin.register(LostDecision)
class LostDecisionAdmin(ReadOnlyAdmin):
    list_display = ("number", "what", "target", "epoch", "gateway", "restriction", "noted_at", "outcome", "settled_by")
    list_filter = ("what", "outcome")
    list_select_related = ("epoch", "gateway", "restriction")


@admin.register(LiteLlmPush)
class LiteLlmPushAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "kind", "name", "because", "blocked_at")
    list_filter = ("gateway",)
    search_fields = ("name",)
    list_select_related = ("gateway",)


@admin.register(DriftRepair)
class DriftRepairAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "at", "name", "blocked", "mended", "detail")
    list_filter = ("gateway", "mended")
    search_fields = ("name",)
    list_select_related = ("gateway",)
