"""Names and links of partners and shares in the audit log."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from governance.audit.subjects import SubjectLink, subject_finder, valid_uuids
from governance.sharing.models import Partner, Share


@subject_finder("partner")
def partner_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    found = Partner.objects.filter(pk__in=valid_uuids(ids)).values_list("pk", "name")
    return {str(pk): SubjectLink(f"partner {name}", reverse("sharing:partner", args=[pk])) for pk, name in found}


@subject_finder("share")
def share_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    found = Share.objects.filter(pk__in=valid_uuids(ids)).select_related("partner")
    return {
        str(one.pk): SubjectLink(f"share with {one.partner}", reverse("sharing:share", args=[one.pk])) for one in found
    }
