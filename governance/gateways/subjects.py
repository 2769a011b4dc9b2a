"""Names and links of gateways in the audit log."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from governance.audit.subjects import SubjectLink, subject_finder
from governance.gateways.models import Gateway


@subject_finder("gateway")
def gateway_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    rows = Gateway.objects.filter(name__in=ids).values_list("pk", "name")
    return {
        name: SubjectLink(f"gateway {name}", reverse("admin:gateways_gateway_change", args=[pk])) for pk, name in rows
    }
