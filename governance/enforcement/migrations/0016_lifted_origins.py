from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("enforcement", "0015_lost_names")]

    operations = [
        migrations.CreateModel(
            name="LiftedOrigin",
            fields=[
                (
                    "origin",
                    models.CharField(
                        help_text="As its restrictions have it.", max_length=255, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={"ordering": ("origin",)},
        ),
    ]
