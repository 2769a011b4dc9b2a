"""Every table has a rule, every field that could hold words a place in it, and docs/privacy.md says the same."""

import subprocess
import sys
from collections import Counter

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance import tasks
from governance.audit.verbs import Verb
from governance.platform.expiry import Expiry
from governance.privacy.document import privacy_as_markdown
from governance.privacy.log_details import CODES_AND_IDS, OTHERS, TYPED, is_known
from governance.privacy.rule import Rule
from governance.privacy.rules import RULES
from governance.privacy.texts import SHARED

TABLES = {model._meta.label for model in apps.get_models()}
BY_TABLE = {rule.table: rule for rule in RULES}
# Numbers, times and references say nothing that the rule of the table does not; codes are chosen from a list.
COULD_HOLD_WORDS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    models.FileField,
    ArrayField,
)


def unclassified(model: type[models.Model], rule: Rule) -> list[str]:
    """The fields of a table that could hold words and of which its rule says nothing."""
    said = {*rule.said, *rule.plain.split()}
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, COULD_HOLD_WORDS)
        and not field.choices
        and field.remote_field is None
        and field.name not in said
        and not (field.primary_key and field.name == "band")
    ]


class TestEveryTable:
    def test_has_one_rule(self) -> None:
        assert {rule.table for rule in RULES} == TABLES
        assert [table for table, number in Counter(rule.table for rule in RULES).items() if number > 1] == []

    @pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
    def test_has_a_place_for_each_field_in_its_rule(self, model: type[models.Model]) -> None:
        assert unclassified(model, BY_TABLE[model._meta.label]) == []

    def test_with_a_new_field_for_words_is_noticed(self) -> None:
        rule = BY_TABLE["accounts.Account"]
        forgetful = rule._replace(personal={name: said for name, said in rule.personal.items() if name != "signup_ip"})

        assert unclassified(apps.get_model("accounts.Account"), forgetful) == ["signup_ip"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.table)
class TestEveryRule:
    def test_names_fields_of_its_table(self, rule: Rule) -> None:
        fields = {field.name for field in apps.get_model(rule.table)._meta.concrete_fields}

        assert {*rule.said, *rule.plain.split()} <= fields

    def test_says_how_long(self, rule: Rule) -> None:
        assert (rule.ends is None) is bool(rule.kept)

    def test_with_an_end_names_a_task_and_a_setting_that_there_are(self, rule: Rule) -> None:
        if rule.ends is not None:
            assert hasattr(tasks, rule.ends.by)
            if rule.ends.setting and rule.ends.days:
                assert rule.ends.days - getattr(settings, rule.ends.setting) in {0, 7}

    def test_agrees_with_its_model(self, rule: Rule) -> None:
        expiry = getattr(apps.get_model(rule.table), "expiry", None)

        if rule.ends is not None and rule.ends.by == "delete_expired_rows":
            assert isinstance(expiry, Expiry)
            assert (expiry.field, expiry.after.total_seconds()) == (rule.ends.since, rule.ends.days * 86_400)
        else:
            assert expiry is None


class TestTheAuditLog:
    def test_has_a_place_for_each_detail_of_each_verb(self) -> None:
        fields = {name for verb in Verb for name in verb.required | verb.optional}

        assert {name for name in fields if not is_known(name)} == set()

    def test_has_no_place_for_details_that_are_gone(self) -> None:
        fields = {name for verb in Verb for name in verb.required | verb.optional}

        assert {*OTHERS.split(), *TYPED} <= fields
        assert {
            field for verb, field in CODES_AND_IDS if field not in Verb(verb).required | Verb(verb).optional
        } == set()


def test_texts_about_several_accounts_are_fields_of_their_tables() -> None:
    for label, (field, path) in SHARED.items():
        assert apps.get_model(label)._default_manager.filter(**{f"{field}__contains": "", path: 1}).query


def test_the_document_is_up_to_date() -> None:
    written = (settings.BASE_DIR / "docs" / "privacy.md").read_text()
    command = [sys.executable, "-m", "governance.privacy.document"]  # as `make docs` calls it
    made = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True).stdout

    assert written == made == privacy_as_markdown(), "run make docs"
