import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enforcement", "0003_first_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pushed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("team", "Team"), ("key", "Key")], max_length=4)),
                (
                    "name",
                    models.CharField(help_text="LiteLLM's own: the id of a team, the hash of a key.", max_length=200),
                ),
                (
                    "because",
                    models.CharField(help_text="Of whom, with the kind before it: account acct_1042.", max_length=140),
                ),
                ("blocked_at", models.DateTimeField()),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pushed", to="enforcement.gateway"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "pushed",
                "ordering": ("gateway", "kind", "name"),
                "indexes": [models.Index(fields=["gateway", "because"], name="pushed_by_whom")],
                "constraints": [
                    models.UniqueConstraint(fields=("gateway", "kind", "name", "because"), name="pushed_once_for_each")
                ],
            },
        ),
    ]
