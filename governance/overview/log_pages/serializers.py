"""What the API shows of the audit log: nothing that somebody typed, and no names, e-mail addresses and networks."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from governance.audit.verbs import verb_choices
from governance.privacy.log_details import NETWORKS, is_known, is_typed, names_staff
from governance.web.row_lists import ListQuery, RowSerializer

# What these entries are about is the e-mail address of a member of staff, or of a stranger.
ABOUT_PEOPLE = frozenset({"sign_in"})


class EntryRow(RowSerializer):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor_kind = serializers.CharField()
    actor_id = serializers.CharField()
    verb = serializers.CharField()
    subject_kind = serializers.CharField()
    subject_id = serializers.CharField(allow_null=True)
    details = serializers.DictField(help_text="Without what somebody typed, names, e-mail addresses and networks.")


class EntryQuery(ListQuery):
    who = serializers.CharField(required=False, max_length=100, help_text="Kind and id of who did it: `staff:…`.")
    kind = serializers.CharField(required=False, max_length=32, help_text="The kind of what it is about.")
    about = serializers.CharField(required=False, max_length=254, help_text="The id of what it is about.")
    verb = serializers.ChoiceField(choices=verb_choices(), required=False)
    first = serializers.DateField(required=False, help_text="The first day, of UTC.")
    last = serializers.DateField(required=False, help_text="The last day, of UTC.")


def without_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without what names or describes a person."""
    verb = row["verb"]
    shown = {name: value for name, value in row["details"].items() if _is_shown(verb, name)}
    subject = None if row["subject_kind"] in ABOUT_PEOPLE else row["subject_id"]
    return {**row, "subject_id": subject, "details": shown}


def _is_shown(verb: str, field: str) -> bool:
    return is_known(field) and not is_typed(verb, field) and not names_staff(verb, field) and field not in NETWORKS
