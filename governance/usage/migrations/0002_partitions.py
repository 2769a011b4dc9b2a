from django.db import migrations

# Columns are said once, in the model; here the table that Django made of them is put under partitions by day.
# The key comes first in the primary key, so that an event is found by its key alone; the day has to be in it.
PARTITIONED = """
CREATE TABLE usage_usageevent_partitioned (LIKE usage_usageevent) PARTITION BY RANGE (day);
DROP TABLE usage_usageevent;
ALTER TABLE usage_usageevent_partitioned RENAME TO usage_usageevent;
ALTER TABLE usage_usageevent ADD PRIMARY KEY (key, day);
CREATE INDEX usage_event_by_account ON usage_usageevent (account_id, occurred_at DESC);
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]
    operations = [migrations.RunSQL(PARTITIONED, migrations.RunSQL.noop)]
