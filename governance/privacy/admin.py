from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.privacy.models import ErasedAccount, Erasure, HeldAccount, LegalHold


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    list_display = ("set_at", "account", "organisation", "campaign", "set_by", "reason", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter),)
    search_fields = ("=account__external_id", "=organisation__external_id")
    list_select_related = ("account", "organisation")


@admin.register(HeldAccount)
class HeldAccountAdmin(ReadOnlyAdmin):
    list_display = ("account", "hold", "since")
    search_fields = ("=account__external_id",)
    list_select_related = ("account", "hold__account", "hold__organisation")


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("erased_at", "account", "organisation", "erased_by", "reason", "finished_at")
    list_filter = (("finished_at", admin.EmptyFieldListFilter),)
    search_fields = ("=account__external_id", "=organisation__external_id")
    list_select_related = ("account", "organisation")


@admin.register(ErasedAccount)
class ErasedAccountAdmin(ReadOnlyAdmin):
    list_display = ("account", "erasure")
    search_fields = ("=account__external_id",)
    list_select_related = ("account", "erasure__account", "erasure__organisation")
