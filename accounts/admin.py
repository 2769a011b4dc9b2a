from django.contrib import admin
from unfold.admin import TabularInline

from accounts.models import Account, ApiKey, Licence, Organisation, TermsAcceptance, TermsVersion
from governance.audit.read_only_admin import ReadOnlyAdmin


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "name")
    search_fields = ("external_id", "name")


class ApiKeyInline(TabularInline):
    model = ApiKey
    fk_name = "account"
    fields = ("external_id", "first_seen_at")
    readonly_fields = fields
    extra = 0
    can_delete = False


class LicenceInline(TabularInline):
    model = Licence
    extra = 0
    can_delete = False


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts come from the seller's register; here they are looked up, not edited."""

    list_display = ("external_id", "organisation", "status", "plan", "declared_use", "country", "created_at")
    list_filter = ("status", "plan", "country")
    search_fields = ("external_id", "organisation__external_id", "organisation__name", "email_domain")
    list_select_related = ("organisation",)
    inlines = (ApiKeyInline, LicenceInline)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "account", "tied_by", "contested_by", "first_seen_at")
    list_filter = ("tied_by", ("contested_at", admin.EmptyFieldListFilter))
    search_fields = ("external_id", "account__external_id")
    list_select_related = ("account", "contested_by")
    exclude = ("digest",)


@admin.register(Licence)
class LicenceAdmin(ReadOnlyAdmin):
    list_display = ("account", "training_permitted", "starts_at", "ends_at", "reference")
    list_filter = ("training_permitted",)
    search_fields = ("account__external_id", "reference")
    list_select_related = ("account",)


@admin.register(TermsVersion)
class TermsVersionAdmin(ReadOnlyAdmin):
    list_display = ("name", "published_at", "address")
    search_fields = ("name",)


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("account", "terms", "accepted_at")
    list_filter = ("terms",)
    search_fields = ("account__external_id",)
    list_select_related = ("account", "terms")
