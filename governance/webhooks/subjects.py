"""Names and links of webhooks in the audit log."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from django.urls import reverse

from governance.audit.subjects import SubjectLink, subject_finder, valid_uuids
from governance.webhooks.models import Webhook


@subject_finder("webhook")
def webhook_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    found = Webhook.objects.filter(pk__in=valid_uuids(ids)).values_list("pk", "url")
    return {
        # The host alone: the rest of an address may be a secret.
        str(pk): SubjectLink(f"webhook to {urlsplit(url).hostname}", reverse("webhooks:webhook", args=[pk]))
        for pk, url in found
    }
