import django.db.models.deletion
from django.db import migrations, models

# What gateways were last told that each live restriction covers.
TOLD = """
    INSERT INTO enforcement_coveredname (restriction_id, kind, name)
    SELECT latest.restriction_id, kind.key, name
    FROM (
        SELECT DISTINCT ON (change.restriction_id) change.restriction_id, change.told->'names' AS names
        FROM enforcement_change change
        JOIN enforcement_restriction restriction ON restriction.number = change.restriction_id
        WHERE restriction.ended_at IS NULL AND change.told IS NOT NULL
        ORDER BY change.restriction_id, change.number DESC
    ) latest, jsonb_each(latest.names) kind, jsonb_array_elements_text(kind.value) name
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("enforcement", "0005_automatic")]

    operations = [
        migrations.CreateModel(
            name="CoveredName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "restriction",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="covered_names",
                        to="enforcement.restriction",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("organisation", "Organisation"),
                            ("account", "Account"),
                            ("key", "Key"),
                            ("digest", "Digest"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=128)),
            ],
            options={
                "ordering": ("restriction", "kind", "name"),
                "constraints": [
                    models.UniqueConstraint(fields=("restriction", "kind", "name"), name="a_name_is_covered_once")
                ],
            },
        ),
        migrations.AlterField(
            model_name="change",
            name="what",
            field=models.CharField(
                choices=[("began", "Began"), ("covers", "Covers other names"), ("ended", "Ended")], max_length=10
            ),
        ),
        migrations.RunSQL(TOLD, migrations.RunSQL.noop),
    ]
