from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0003_profiles"),
    ]

    operations = [
        migrations.AddField(
            model_name="dirtyaccount",
            name="anew",
            field=models.BooleanField(default=False, help_text="To be scored whether usage has come in or not."),
        ),
        migrations.AddField(
            model_name="profile",
            name="addresses",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="profile",
            name="shingles",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="weeklysketch",
            name="addresses",
            field=models.BinaryField(default=bytes),
        ),
        migrations.AddField(
            model_name="weeklysketch",
            name="shingles",
            field=models.BinaryField(default=bytes),
        ),
    ]
