from django.contrib import admin

from governance.audit.history_admin import HistoryAdmin
from governance.campaigns.models import AccountSample, AccountTrait, Campaign, CampaignMember, Link, SharedPrompt


@admin.register(AccountTrait)
class AccountTraitAdmin(HistoryAdmin):
    list_display = ("kind", "digest", "account", "uses", "share")
    list_filter = ("kind",)
    search_fields = ("=digest", "=account__external_id")
    list_select_related = ("account",)


@admin.register(AccountSample)
class AccountSampleAdmin(HistoryAdmin):
    list_display = ("account", "requests", "breadth", "model", "ratio", "taken_at")
    search_fields = ("=account__external_id",)
    list_select_related = ("account",)


@admin.register(SharedPrompt)
class SharedPromptAdmin(HistoryAdmin):
    list_display = ("sketch", "accounts")
    search_fields = ("=sketch",)


@admin.register(Link)
class LinkAdmin(HistoryAdmin):
    list_display = ("one", "other", "wrappers", "shards", "addresses", "card", "settings")
    search_fields = ("=one__external_id", "=other__external_id")
    list_select_related = ("one", "other")


@admin.register(Campaign)
class CampaignAdmin(HistoryAdmin):
    list_display = ("id", "state", "size", "score", "events", "first_seen_at", "opened_at", "assessed_at")
    list_filter = ("state",)
    date_hierarchy = "first_seen_at"


@admin.register(CampaignMember)
class CampaignMemberAdmin(HistoryAdmin):
    list_display = ("account", "campaign", "joined_at", "left_at", "strength", "tied_to", "left_out_because")
    search_fields = ("=account__external_id", "=campaign__id")
    list_select_related = ("account", "campaign")
