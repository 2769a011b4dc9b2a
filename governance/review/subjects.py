"""Names and links of cases in the audit log."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from governance.audit.subjects import Subject, subject_finder, valid_uuids
from governance.review.models import Case


@subject_finder("case")
def case_subjects(ids: Collection[str]) -> Mapping[str, Subject]:
    rows = Case.objects.filter(pk__in=valid_uuids(ids)).values_list("pk", "account__external_id")
    return {str(pk): Subject(f"case of account {name}", reverse("review:case", args=[pk])) for pk, name in rows}
