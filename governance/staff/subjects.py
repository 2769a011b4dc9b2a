"""How the audit log calls people and service keys."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from governance.audit.subjects import SubjectLink, subject_finder, valid_uuids
from governance.staff.models import ServiceKey, User


@subject_finder("user")
def user_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    found = User.objects.filter(pk__in=valid_uuids(ids))
    return {
        str(user.pk): SubjectLink(f"{user.name} ({user.email})", reverse("admin:staff_user_change", args=[user.pk]))
        for user in found
    }


@subject_finder("service_key")
def service_key_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    found = ServiceKey.objects.filter(pk__in=valid_uuids(ids))
    return {
        str(key.pk): SubjectLink(
            f"service key {key.name} ({key.shown_prefix}…)", reverse("admin:staff_servicekey_change", args=[key.pk])
        )
        for key in found
    }
