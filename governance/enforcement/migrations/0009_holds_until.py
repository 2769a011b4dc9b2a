from django.db import migrations, models

# What is in force holds as long as itself, or as long as what it replaced and is restored then. Constraints are checked
# at once, since a table with checks still to come cannot be altered in the same transaction.
FILL = """
    SET CONSTRAINTS ALL IMMEDIATE;

    UPDATE enforcement_restriction SET withdrawal = 'lifted' WHERE withdrawn_at IS NOT NULL;
    UPDATE enforcement_restriction SET holds_until = expires_at WHERE expires_at IS NOT NULL;

    WITH RECURSIVE chain AS (
        SELECT number, replaces_id, expires_at AS until FROM enforcement_restriction
        WHERE ended_at IS NULL AND expires_at IS NOT NULL
        UNION ALL
        SELECT chain.number, one.replaces_id, greatest(
            chain.until, CASE WHEN one.starts_at <= chain.until THEN coalesce(one.expires_at, 'infinity') END
        )
        FROM chain JOIN enforcement_restriction one ON one.number = chain.replaces_id
        WHERE one.withdrawn_at IS NULL AND one.superseded_by = ''
    ), longest AS (
        SELECT number, max(until) AS until FROM chain GROUP BY number
    )
    UPDATE enforcement_restriction one SET holds_until = nullif(longest.until, 'infinity')
    FROM longest WHERE longest.number = one.number;

    SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("enforcement", "0008_origins")]

    operations = [
        migrations.AddField(
            model_name="restriction",
            name="holds_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Until when access stays restricted under it: until it expires, or as long as what it "
                "replaced and is restored then.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="restriction",
            name="withdrawal",
            field=models.CharField(
                blank=True,
                choices=[
                    ("lifted", "Lifted"),
                    ("undone", "Undone"),
                    ("expired", "Expired"),
                    ("replaced", "Replaced by a newer one"),
                ],
                default="",
                help_text="Whether by lifting or undoing.",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="restriction",
            name="withdrawn_by",
            field=models.CharField(blank=True, default="", max_length=254),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("holds_until", None),
                    models.Q(("expires_at__isnull", False), ("holds_until__gte", models.F("expires_at"))),
                    _connector="OR",
                ),
                name="restriction_holds_until_it_expires",
            ),
        ),
    ]
