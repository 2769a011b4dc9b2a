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
# Takes what no day of its own takes, so that nothing acknowledged is ever refused by the database; see partitions.py.
DEFAULT_PARTITION = "CREATE TABLE usage_usageevent_default PARTITION OF usage_usageevent DEFAULT"
# SECURITY DEFINER: the role that runs Stillwatch may neither create nor drop a table, but these functions make and drop
# days of usage for it.
# The search path is fixed, so that no object of the caller's can stand in for one of ours.
FUNCTIONS = """
CREATE FUNCTION usage_make_day(day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text := 'usage_usageevent_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.usage_usageevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
    LOCK TABLE public.usage_usageevent_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('INSERT INTO public.%I SELECT * FROM public.usage_usageevent_default AS event WHERE event.day = $1', name) USING day;
    DELETE FROM public.usage_usageevent_default AS event WHERE event.day = usage_make_day.day;
    EXECUTE format('ALTER TABLE public.usage_usageevent ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name, day, day + 1);
    RETURN true;
END $$;
CREATE FUNCTION usage_drop_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS public.%I', 'usage_usageevent_' || to_char(day, 'YYYYMMDD'));
END $$;
REVOKE ALL ON FUNCTION usage_make_day(date), usage_drop_day(date) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]
    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (PARTITIONED, DEFAULT_PARTITION, FUNCTIONS)]
