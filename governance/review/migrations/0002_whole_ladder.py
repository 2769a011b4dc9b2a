from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="scope",
            field=models.CharField(
                choices=[
                    ("account", "This account"),
                    ("organisation", "Its whole organisation"),
                    ("campaign", "The whole campaign"),
                ],
                default="account",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="action",
            field=models.CharField(
                choices=[
                    ("dismiss", "Dismiss"),
                    ("watch", "Watch"),
                    ("warn", "Warn"),
                    ("throttle", "Throttle"),
                    ("withhold", "Withhold"),
                    ("verify", "Verify"),
                    ("suspend", "Suspend"),
                    ("block", "Block"),
                ],
                max_length=10,
            ),
        ),
    ]
