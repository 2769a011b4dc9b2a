"""Names and links of restrictions in the audit log."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from governance.audit.subjects import SubjectLink, subject_finder
from governance.restrictions.models import Restriction


@subject_finder("restriction")
def restriction_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    numbers = Restriction.objects.filter(number__in=ids).values_list("number", flat=True)
    return {
        str(number): SubjectLink(
            f"restriction no. {number}", reverse("admin:restrictions_restriction_change", args=[number])
        )
        for number in numbers
    }
