"""How the audit log calls restrictions, gateways and webhooks."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from django.urls import reverse

from governance.audit.subjects import Subject, finds_subjects, uuids
from governance.enforcement.models import Gateway, Restriction, Webhook


@finds_subjects("restriction")
def restrictions(ids: Collection[str]) -> Mapping[str, Subject]:
    numbers = Restriction.objects.filter(number__in=ids).values_list("number", flat=True)
    return {
        str(number): Subject(
            f"restriction no. {number}", reverse("admin:enforcement_restriction_change", args=[number])
        )
        for number in numbers
    }


@finds_subjects("gateway")
def gateways(ids: Collection[str]) -> Mapping[str, Subject]:
    rows = Gateway.objects.filter(name__in=ids).values_list("pk", "name")
    return {
        name: Subject(f"gateway {name}", reverse("admin:enforcement_gateway_change", args=[pk])) for pk, name in rows
    }


@finds_subjects("webhook")
def webhooks(ids: Collection[str]) -> Mapping[str, Subject]:
    found = Webhook.objects.filter(pk__in=uuids(ids)).values_list("pk", "url")
    return {
        # The host alone: the rest of an address may be a secret.
        str(pk): Subject(f"webhook to {urlsplit(url).hostname}", reverse("enforcement:webhook", args=[pk]))
        for pk, url in found
    }
