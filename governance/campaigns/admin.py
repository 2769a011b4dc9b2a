from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.campaigns.models import (
    AccountSample,
    AccountTrait,
    AnswerSample,
    Campaign,
    CampaignMember,
    CampaignRule,
    CampaignRuleAccount,
    CampaignSearch,
    SharedPrompt,
)


@admin.register(AccountTrait)
class AccountTraitAdmin(ReadOnlyAdmin):
    list_display = ("kind", "digest", "account", "uses", "share")
    list_filter = ("kind",)
    search_fields = ("=digest", "=account__external_id")
    list_select_related = ("account",)


@admin.register(AccountSample)
class AccountSampleAdmin(ReadOnlyAdmin):
    list_display = ("account", "requests", "breadth", "model", "ratio", "taken_at")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)


@admin.register(SharedPrompt)
class SharedPromptAdmin(ReadOnlyAdmin):
    list_display = ("sketch", "accounts")
    search_fields = ("=sketch",)


@admin.register(AnswerSample)
class AnswerSampleAdmin(ReadOnlyAdmin):
    list_display = ("kind", "digest", "account")
    list_filter = ("kind",)
    search_fields = ("=digest", "=account__external_id")
    list_select_related = ("account",)


@admin.register(CampaignSearch)
class CampaignSearchAdmin(ReadOnlyAdmin):
    list_display = ("searched_at", "changed_accounts")


@admin.register(CampaignRule)
class CampaignRuleAdmin(ReadOnlyAdmin):
    list_display = ("made_at", "belonging", "made_by", "reason")
    list_filter = ("belonging",)


@admin.register(CampaignRuleAccount)
class CampaignRuleAccountAdmin(ReadOnlyAdmin):
    list_display = ("rule", "account", "is_other")
    search_fields = ("=account__external_id",)
    list_select_related = ("rule", "account")


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("id", "state", "size", "score", "events", "first_seen_at", "opened_at", "assessed_at")
    list_filter = ("state",)
    date_hierarchy = "first_seen_at"


@admin.register(CampaignMember)
class CampaignMemberAdmin(ReadOnlyAdmin):
    list_display = ("account", "campaign", "joined_at", "left_at", "strength", "tied_to", "left_out_because")
    search_fields = ("=account__external_id", "=campaign__id")
    list_select_related = ("account", "campaign")
