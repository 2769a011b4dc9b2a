"""SQL of intake, profiles and the scoring queue: statements that do for a whole batch what the ORM does row by row."""

from governance.usage.profiles.merging import COUNTERS, PROFILE_SCHEMA, SKETCHES, sql_aggregates

# Private to a connection, and emptied by every commit, which for such a table costs next to nothing. The DELETE is for
# batches that share a transaction.
MAKE_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE usage_usageevent) ON COMMIT DELETE ROWS; DELETE FROM incoming
"""

# What is copied is in the order of its key, so that two batches which share events wait for each other instead of
# locking each other out.
COPY_INCOMING = "COPY incoming ({columns}) FROM STDIN (FORMAT csv)"

# Answers with the keys of what was here before on the same day, few, while new ones are many; `incoming` then holds the
# new ones alone.
STORE_INCOMING = """
WITH stored AS (
    INSERT INTO usage_usageevent ({columns}) SELECT {columns} FROM incoming ON CONFLICT (key, day) DO NOTHING
    RETURNING key
)
DELETE FROM incoming WHERE NOT EXISTS (SELECT FROM stored WHERE stored.key = incoming.key)
RETURNING replace(key::text, '-', '')
"""

_SAID = """(extract(epoch FROM event.occurred_at) * 1000000)::bigint AS at, event.model, event.input_tokens,
    event.output_tokens"""

# Of what has been stored just now, that which is here on the day before or after too, and what that says: a unique
# index ends with its day. `days` names these days, so that few tables are opened.
FIND_COPIES = f"""
SELECT replace(incoming.key::text, '-', ''), event.* FROM incoming CROSS JOIN LATERAL (
    SELECT {_SAID} FROM usage_usageevent AS event
    WHERE event.key = incoming.key AND event.day = ANY(%(days)s::date[])
      AND event.day BETWEEN incoming.day - 1 AND incoming.day + 1 AND event.day <> incoming.day
    LIMIT 1
) AS event
"""  # noqa: S608 - no value in it

REMOVE_COPIES = """
DELETE FROM usage_usageevent AS event USING incoming
WHERE incoming.key = ANY(%(keys)s::uuid[]) AND event.key = incoming.key AND event.day = incoming.day
  AND event.day = ANY(%(days)s::date[])
"""

FIND_EVENTS = f"""
SELECT replace(sought.key::text, '-', ''), event.* FROM unnest(%(keys)s::uuid[], %(on)s::date[]) AS sought (key, day)
CROSS JOIN LATERAL (
    SELECT {_SAID} FROM usage_usageevent AS event
    WHERE event.key = sought.key AND event.day = ANY(%(days)s::date[])
      AND event.day BETWEEN sought.day - 1 AND sought.day + 1
    LIMIT 1
) AS event
"""  # noqa: S608 - no value in it

NOTE_CONFLICTS = """
INSERT INTO usage_eventconflict AS known (account_id, source, day, events, in_time_alone, newest_at)
SELECT account, %(source)s, %(day)s, events, in_time_alone, %(now)s
FROM unnest(%(accounts)s::bigint[], %(events)s::int[], %(in_time_alone)s::int[])
    AS batch (account, events, in_time_alone)
ORDER BY account
ON CONFLICT (account_id, source, day) DO UPDATE SET
    events = known.events + excluded.events, in_time_alone = known.in_time_alone + excluded.in_time_alone,
    newest_at = greatest(known.newest_at, excluded.newest_at)
"""

# Gives the figures of events that were stored without any. Answers with what their profiles lack.
COMPLETE_EVENTS = """
UPDATE usage_usageevent AS event
SET input_tokens = figures.input_tokens, output_tokens = figures.output_tokens,
    cached_input_tokens = figures.cached_input_tokens, reasoning_tokens = figures.reasoning_tokens
FROM unnest(
    %(keys)s::uuid[], %(on)s::date[], %(input_tokens)s::int[], %(output_tokens)s::int[], %(cached_input_tokens)s::int[],
    %(reasoning_tokens)s::int[]
) AS figures (key, day, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens)
WHERE event.key = figures.key AND event.day = ANY(%(days)s::date[])
  AND event.day BETWEEN figures.day - 1 AND figures.day + 1
  AND event.input_tokens IS NULL AND event.output_tokens IS NULL
RETURNING event.account_id, event.model, (extract(epoch FROM event.occurred_at) * 1000000)::bigint,
    event.input_tokens, event.output_tokens, event.cached_input_tokens, event.reasoning_tokens
"""

# In the order of their keys, so that two batches which share answers wait for each other.
LOCK_ANSWERS = """
INSERT INTO usage_reportedanswer AS answer (key, is_finished, in_background, newest_at)
SELECT key, false, false, %(now)s FROM unnest(%(keys)s::uuid[]) AS batch (key) ORDER BY key
ON CONFLICT (key) DO UPDATE SET newest_at = greatest(answer.newest_at, excluded.newest_at)
RETURNING replace(key::text, '-', ''), is_finished, in_background, input_tokens, output_tokens, cached_input_tokens,
    reasoning_tokens
"""

SAVE_ANSWERS = """
UPDATE usage_reportedanswer AS answer
SET is_finished = batch.is_finished, in_background = batch.in_background, input_tokens = batch.input_tokens,
    output_tokens = batch.output_tokens, cached_input_tokens = batch.cached_input_tokens,
    reasoning_tokens = batch.reasoning_tokens
FROM unnest(
    %(key)s::uuid[], %(is_finished)s::bool[], %(in_background)s::bool[], %(input_tokens)s::int[],
    %(output_tokens)s::int[], %(cached_input_tokens)s::int[], %(reasoning_tokens)s::int[]
) AS batch (key, is_finished, in_background, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens)
WHERE answer.key = batch.key
"""

COPY_DELTAS = "COPY usage_profiledelta ({columns}) FROM STDIN (FORMAT csv)"

# Deltas that other transactions commit meanwhile are not deleted. Two compactions of an account wait for each other
# here, since a delta stays until the first of them commits.
TAKE_DELTAS = "DELETE FROM usage_profiledelta WHERE account_id = ANY(%s) RETURNING {columns}"

TAKE_HOURS = """
DELETE FROM usage_hourlyprofile AS stored
USING unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS wanted (account_id, model, hour)
WHERE stored.account_id = wanted.account_id AND stored.hour = wanted.hour AND stored.model = wanted.model
RETURNING {columns}
"""

COPY_HOURS = "COPY usage_hourlyprofile ({columns}) FROM STDIN (FORMAT csv)"

TAKE_WEEKS = """
DELETE FROM usage_weeklysketch AS stored
USING unnest(%s::bigint[], %s::text[], %s::date[]) AS wanted (account_id, model, week)
WHERE stored.account_id = wanted.account_id AND stored.week = wanted.week AND stored.model = wanted.model
RETURNING {columns}
"""

COPY_WEEKS = "COPY usage_weeklysketch ({columns}) FROM STDIN (FORMAT csv)"

# How columns are merged is said in profiles/merging.py.
READ_PROFILES = f"""
WITH wanted AS (
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS wanted (account_id, "from", "to")
), counted AS (
    SELECT account_id, model, {sql_aggregates(COUNTERS)},
           string_agg(int8send((extract(epoch FROM first_at) * 1000000)::bigint)
                   || int8send((extract(epoch FROM last_at) * 1000000)::bigint) || int4send(requests)
                   || int2send(slots), '') AS hours
    FROM usage_hourlyprofile JOIN wanted USING (account_id)
    WHERE hour >= wanted."from" AND hour <= wanted."to" GROUP BY account_id, model
), sketched AS (
    SELECT account_id, model, {sql_aggregates(SKETCHES)}
    FROM usage_weeklysketch JOIN wanted USING (account_id)
    WHERE week >= (wanted."from" AT TIME ZONE 'UTC')::date AND week <= (wanted."to" AT TIME ZONE 'UTC')::date
    GROUP BY account_id, model
)
SELECT {", ".join(PROFILE_SCHEMA)} FROM counted JOIN sketched USING (account_id, model)
"""  # noqa: S608 - names of columns, no value

# Hourly profiles and what is not compacted yet: rows of the same account, model and hour add up.
_HOURS = """(
    SELECT {columns} FROM usage_hourlyprofile UNION ALL SELECT {columns} FROM usage_profiledelta
)"""

REQUESTS_BY_ACCOUNT = f"""
SELECT account_id, sum(requests)::bigint
FROM {_HOURS.format(columns="account_id, hour, requests")} AS hours WHERE hour >= %s GROUP BY account_id
"""  # noqa: S608 - as above

USAGE_BY_HOUR = f"""
SELECT hour, sum(requests)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint
FROM {_HOURS.format(columns="account_id, hour, requests, input_tokens, output_tokens")} AS hours
WHERE account_id = %s AND hour >= %s AND hour < %s GROUP BY hour ORDER BY hour
"""  # noqa: S608 - as above

# Of several accounts together. An account begins on the first day that is stored of it.
USAGE_BY_DAY = f"""
WITH used AS (
    SELECT account_id, (hour AT TIME ZONE 'UTC')::date AS day, sum(requests) AS requests, sum(output_tokens) AS tokens
    FROM {_HOURS.format(columns="account_id, hour, requests, output_tokens")} AS hours
    WHERE account_id = ANY(%s) GROUP BY 1, 2
), began AS (
    SELECT day, count(*) AS accounts FROM (SELECT min(day) AS day FROM used GROUP BY account_id) AS first GROUP BY day
)
SELECT day, sum(requests)::bigint, coalesce(sum(tokens), 0)::bigint, coalesce(max(began.accounts), 0)::bigint
FROM used LEFT JOIN began USING (day) GROUP BY day ORDER BY day
"""  # noqa: S608 - as above

# Each hour with no model, then each model with no hour.
USAGE_BY_HOUR_AND_BY_MODEL = f"""
SELECT hour, model, sum(requests)::bigint, sum(failures)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint
FROM {_HOURS.format(columns="account_id, model, hour, requests, failures, input_tokens, output_tokens")} AS hours
WHERE account_id = %s AND hour >= %s AND hour < %s GROUP BY GROUPING SETS (hour, model) ORDER BY hour
"""  # noqa: S608 - as above

USAGE_BY_HOUR_AND_MODEL = f"""
SELECT hour, model, sum(requests)::bigint, sum(failures)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint
FROM {_HOURS.format(columns="account_id, model, hour, requests, failures, input_tokens, output_tokens")} AS hours
WHERE account_id = %s AND hour >= %s AND hour < %s GROUP BY hour, model ORDER BY hour
"""  # noqa: S608 - as above

# From the Monday before, since sketches are kept by the week.
WINDOWS = f"""
WITH hours AS NOT MATERIALIZED (
    SELECT * FROM {_HOURS.format(columns="account_id, hour, last_at, requests, output_tokens")} AS hours
    WHERE account_id = ANY(%(accounts)s)
)
SELECT account_id, start, newest, sum(requests)::bigint, sum(output_tokens)::bigint
FROM hours JOIN (
    SELECT account_id, newest, date_trunc('week', newest - %(span)s::interval, 'UTC') AS start
    FROM (
        SELECT account_id, least(max(last_at), %(at)s::timestamptz) AS newest
        FROM hours WHERE hour <= %(at)s GROUP BY account_id
    ) AS latest
) AS latest USING (account_id)
WHERE hour >= start AND hour <= newest GROUP BY account_id, start, newest
"""  # noqa: S608 - as above

CLAIM = """
WITH free AS (
    SELECT account_id FROM usage_dirtyaccount
    WHERE dead_lettered_at IS NULL
      AND (lease_until IS NULL OR lease_until <= %(now)s OR lease_until > %(latest)s)
      AND attempts < %(attempts_allowed)s
    ORDER BY dirty_since LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE usage_dirtyaccount AS dirty
SET lease_until = %(lease_until)s, token = dirty.token + 1
FROM free WHERE dirty.account_id = free.account_id
RETURNING dirty.account_id, dirty.version, dirty.token, dirty.attempts, dirty.is_forced
"""

# Rows are locked in the order of their accounts, as `MARK_DIRTY` locks them: a plain UPDATE takes them as they lie.
BEGIN = """
WITH claimed AS (
    SELECT account_id FROM usage_dirtyaccount WHERE account_id = ANY(%(accounts)s) ORDER BY account_id FOR UPDATE
)
UPDATE usage_dirtyaccount AS dirty SET attempts = dirty.attempts + 1
FROM claimed WHERE dirty.account_id = claimed.account_id
"""

FAIL = """
WITH failed AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(tokens)s::bigint[], %(attempts)s::int[], %(until)s::timestamptz[])
        AS failed (account_id, token, attempts, until)
), locked AS (
    SELECT dirty.account_id, failed.attempts, failed.until
    FROM usage_dirtyaccount AS dirty JOIN failed USING (account_id, token) ORDER BY dirty.account_id FOR UPDATE OF dirty
)
UPDATE usage_dirtyaccount AS dirty
SET last_error = %(error)s, attempts = locked.attempts, lease_until = locked.until
FROM locked WHERE dirty.account_id = locked.account_id
"""

FINISH = """
WITH scored AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(versions)s::bigint[]) AS scored (account_id, version)
), cleaned AS (
    DELETE FROM usage_dirtyaccount AS dirty USING scored
    WHERE dirty.account_id = scored.account_id AND dirty.version = scored.version
)
UPDATE usage_dirtyaccount AS dirty SET lease_until = NULL, attempts = 0, dirty_since = %(now)s
FROM scored WHERE dirty.account_id = scored.account_id AND dirty.version <> scored.version
"""

MARK_DIRTY = """
INSERT INTO usage_dirtyaccount AS dirty (account_id, version, is_forced, dirty_since, token, attempts, last_error)
SELECT unnest(%(accounts)s::bigint[]), 1, %(is_forced)s, %(now)s, 0, 0, ''
ON CONFLICT (account_id) DO UPDATE SET version = dirty.version + 1, is_forced = dirty.is_forced OR excluded.is_forced
"""
