from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("enforcement", "0013_replaced_numbers")]

    operations = [
        migrations.AlterModelOptions(name="automaticswitch", options={"verbose_name_plural": "automatic switches"}),
        migrations.AddField(
            model_name="restriction",
            name="told_in_full_by",
            field=models.BigIntegerField(
                blank=True,
                help_text="The change by which gateways had been told all names that it covers; none while they are "
                "being told.",
                null=True,
            ),
        ),
        migrations.RunSQL(
            "UPDATE enforcement_restriction SET told_in_full_by = number; SET CONSTRAINTS ALL IMMEDIATE;",
            migrations.RunSQL.noop,
        ),
    ]
