import django.db.models.deletion
from django.db import migrations, models

# Until now the key of a campaign's restriction ended in the account's external id, and what was restored named what ended.
# Constraints are checked at once, since a table with checks still to come cannot be altered in the same transaction.
FILL = """
    SET CONSTRAINTS ALL IMMEDIATE;

    UPDATE enforcement_restriction SET origin = unique_key;

    UPDATE enforcement_restriction AS one
    SET origin = left(one.unique_key, -length(account.external_id) - 1),
        unique_key = left(one.unique_key, -length(account.external_id)) || account.id
    FROM accounts_account AS account
    WHERE account.id = one.account_id AND one.campaign_id IS NOT NULL
      AND right(one.unique_key, length(account.external_id) + 1) = ':' || account.external_id;

    DO $$
    DECLARE restored record;
    BEGIN
        FOR restored IN
            SELECT one.number, ended.replaces_id FROM enforcement_restriction AS one
            JOIN enforcement_restriction AS ended ON one.unique_key = 'again:' || ended.number
            WHERE ended.replaces_id IS NOT NULL ORDER BY one.number
        LOOP
            UPDATE enforcement_restriction SET origin = (
                SELECT origin FROM enforcement_restriction WHERE number = restored.replaces_id
            ) WHERE number = restored.number;
        END LOOP;
    END $$;

    SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("enforcement", "0007_outcomes_by_mode"),
        ("risk", "0004_policy_watching"),
    ]

    operations = [
        migrations.AddField(
            model_name="restriction",
            name="origin",
            field=models.CharField(
                default="",
                help_text="The decision, request or policy outcome it was made for. Those of one campaign share it, "
                "and what is restored keeps it.",
                max_length=255,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="restriction",
            name="superseded_by",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The origin of the decision that took its place. It is restored only where that one is "
                "undone.",
                max_length=255,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="restriction",
            name="withdrawn_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was lifted or undone after something else had taken its place: it is never "
                "restored.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="restriction",
            name="ending",
            field=models.CharField(
                blank=True,
                choices=[
                    ("lifted", "Lifted"),
                    ("undone", "Undone"),
                    ("expired", "Expired"),
                    ("replaced", "Replaced by a newer one"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="restriction",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                help_text="What was in force before, and is again when this one expires or is undone.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="enforcement.restriction",
            ),
        ),
        migrations.AlterField(
            model_name="restriction",
            name="unique_key",
            field=models.CharField(
                help_text="One decision or one request is one restriction.", max_length=255, unique=True
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="restriction",
            index=models.Index(fields=["origin"], name="restriction_by_origin"),
        ),
        migrations.AddIndex(
            model_name="restriction",
            index=models.Index(
                condition=models.Q(("superseded_by", ""), _negated=True),
                fields=["superseded_by"],
                name="restriction_by_superseder",
            ),
        ),
    ]
