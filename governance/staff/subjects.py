"""How the audit log calls people and service keys."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from governance.audit.subjects import Subject, finds_subjects, uuids
from governance.staff.models import ServiceKey, User


@finds_subjects("user")
def users(ids: Collection[str]) -> Mapping[str, Subject]:
    found = User.objects.filter(pk__in=uuids(ids))
    return {
        str(user.pk): Subject(f"{user.name} ({user.email})", reverse("admin:staff_user_change", args=[user.pk]))
        for user in found
    }


@finds_subjects("service_key")
def service_keys(ids: Collection[str]) -> Mapping[str, Subject]:
    found = ServiceKey.objects.filter(pk__in=uuids(ids))
    return {
        str(key.pk): Subject(
            f"service key {key.name} ({key.shown_prefix}…)", reverse("admin:staff_servicekey_change", args=[key.pk])
        )
        for key in found
    }
