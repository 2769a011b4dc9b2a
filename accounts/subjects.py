"""Names and links of accounts, keys and organisations in the audit log."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from accounts.models import Account, ApiKey, Organisation
from governance.audit.subjects import SubjectLink, subject_finder


@subject_finder("account")
def account_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    names = Account.objects.filter(external_id__in=ids).values_list("external_id", flat=True)
    return {name: SubjectLink(f"account {name}", reverse("investigation:account", args=[name])) for name in names}


@subject_finder("key")
def key_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    rows = ApiKey.objects.filter(external_id__in=ids).values_list("pk", "external_id", "account__external_id")
    return {
        name: SubjectLink(f"key {name} of account {owner}", reverse("admin:accounts_apikey_change", args=[pk]))
        for pk, name, owner in rows
    }


@subject_finder("organisation")
def organisation_subjects(ids: Collection[str]) -> Mapping[str, SubjectLink]:
    names = Organisation.objects.filter(external_id__in=ids).values_list("external_id", flat=True)
    return {
        name: SubjectLink(f"organisation {name}", reverse("investigation:organisation", args=[name])) for name in names
    }
