import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

FILL = """
    UPDATE enforcement_restriction SET replaced_numbers = ARRAY[replaces_id] WHERE replaces_id IS NOT NULL;
    SET CONSTRAINTS ALL IMMEDIATE;
"""
EMPTY = """
    UPDATE enforcement_restriction SET replaces_id = replaced_numbers[1];
    SET CONSTRAINTS ALL IMMEDIATE;
"""
TARGETS = {"account": "an_account", "key": "a_key", "organisation": "an_organisation"}


def one_of_a_kind(target: str) -> str:
    return f"one_restriction_of_a_kind_{TARGETS[target]}"


class Migration(migrations.Migration):
    dependencies = [("enforcement", "0012_covered_accounts")]

    operations = [
        migrations.AddField(
            model_name="restriction",
            name="replaced_numbers",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                blank=True,
                default=list,
                help_text="What would be in force, or begin, while this one is: it is again when this one expires or "
                "is undone. Several where some of them begin later.",
                size=None,
            ),
        ),
        migrations.RunSQL(FILL, EMPTY),
        migrations.RemoveField(model_name="restriction", name="replaces"),
        *[migrations.RemoveConstraint(model_name="restriction", name=one_of_a_kind(target)) for target in TARGETS],
        *[
            migrations.AddConstraint(
                model_name="restriction",
                constraint=models.UniqueConstraint(
                    fields=[target, "kind", "starts_at"],
                    condition=models.Q(("ended_at", None)),
                    name=one_of_a_kind(target),
                ),
            )
            for target in TARGETS
        ],
        migrations.AddIndex(
            model_name="restriction",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["replaced_numbers"], name="restriction_by_replaced", fastupdate=False
            ),
        ),
    ]
