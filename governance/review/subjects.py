"""Names and links of cases in the audit log."""

from collections.abc import Collection, Mapping

from django.db.models import Count
from django.urls import reverse

from governance.audit.subjects import SubjectLink, subject_finder, valid_uuids
from governance.campaigns.models import Campaign
from governance.review.models import BulkDecision, Case
from governance.web.counts import pluralize


@subject_finder("campaign")
def campaign_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    return {
        str(pk): SubjectLink(f"campaign {str(pk)[:8]}", reverse("review:campaign", args=[pk]))
        for pk in Campaign.objects.filter(pk__in=valid_uuids(ids)).values_list("pk", flat=True)
    }


@subject_finder("case")
def case_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    cases = Case.objects.filter(pk__in=valid_uuids(ids)).select_related("account")
    return {
        str(case.pk): SubjectLink(
            # Without its size, which is today's and not that of the entry.
            f"case of account {case.subject}" if case.account_id else f"case of campaign {str(case.campaign_id)[:8]}",
            reverse("review:case", args=[case.pk]),
        )
        for case in cases
    }


@subject_finder("bulk")
def bulk_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    found = BulkDecision.objects.filter(pk__in=valid_uuids(ids)).annotate(size=Count("targets"))
    return {
        str(pk): SubjectLink(f"decision about {pluralize(size, 'account')}", reverse("review:bulk-decision", args=[pk]))
        for pk, size in found.values_list("pk", "size")
    }
