from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("risk", "0004_policy_watching")]
    operations = [
        migrations.AlterField(
            "accountsample",
            "ratio",
            models.FloatField(
                null=True, help_text="… its median of output to input tokens with it where these were counted, …"
            ),
        ),
    ]
