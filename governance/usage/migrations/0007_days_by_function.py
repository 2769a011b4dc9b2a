from django.db import migrations

# SECURITY DEFINER: whoever runs Stillwatch may neither create nor drop a table, but has days of usage made and dropped.
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
BACK = "DROP FUNCTION usage_make_day(date); DROP FUNCTION usage_drop_day(date);"


class Migration(migrations.Migration):
    dependencies = [("usage", "0006_unknown_tokens")]
    operations = [migrations.RunSQL(FUNCTIONS, BACK)]
