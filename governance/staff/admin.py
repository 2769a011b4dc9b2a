from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.staff.models import AttemptCount, ServiceKey, SignInOrigin, StaffSession, User

# Roles are code here: a table of groups that grants nothing would mislead.
admin.site.unregister(Group)
# Nothing is written to the first of these tables of django-allauth; the second is shown without its secrets.
admin.site.unregister((EmailAddress, Authenticator))


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Read only for now: people are added by `manage.py add_user`, which leaves an entry."""

    list_display = ("name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("name", "email")
    fields = ("name", "email", "role", "is_active", "created_at", "last_login")


@admin.register(ServiceKey)
class ServiceKeyAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "shown_prefix",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("revoked_at",)
    search_fields = ("name", "shown_prefix")
    exclude = ("digest", "previous_digest")


@admin.register(SignInOrigin)
class SignInOriginAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind", "last_used_at")
    list_filter = ("kind",)
    search_fields = ("user__name", "user__email")
    list_select_related = ("user",)
    exclude = ("value",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__name", "user__email")
    list_select_related = ("user",)
    exclude = ("data",)


@admin.register(StaffSession)
class StaffSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "started_at", "last_used_at", "address", "browser")
    search_fields = ("user__name", "user__email")
    list_select_related = ("user",)
    exclude = ("session",)


@admin.register(AttemptCount)
class AttemptCountAdmin(ReadOnlyAdmin):
    list_display = ("kind", "starts_at", "count")
    list_filter = ("kind",)
    exclude = ("key",)
