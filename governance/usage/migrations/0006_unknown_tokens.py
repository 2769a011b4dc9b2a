from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("usage", "0005_usage_arrival")]
    operations = [
        migrations.AlterField(
            "usageevent",
            "input_tokens",
            models.IntegerField(null=True, help_text="Null where nobody counted them."),
        ),
        migrations.AlterField("usageevent", "output_tokens", models.IntegerField(null=True)),
    ]
