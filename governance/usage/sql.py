"""The statements that carry the load. Each does for a whole batch what the ORM would do row by row."""

# Temporary tables are private to a connection; made once, emptied before every batch.
MAKE_INCOMING = "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE usage_usageevent); TRUNCATE incoming"

COPY_INCOMING = "COPY incoming ({columns}) FROM STDIN"

# Everything is written in the order of its key, so that two batches that share rows wait for each other instead
# of locking each other out.
STORE_INCOMING = """
WITH stored AS (
    INSERT INTO usage_usageevent ({columns})
    SELECT DISTINCT ON (key) {columns} FROM incoming ORDER BY key
    ON CONFLICT (key, day) DO NOTHING
    RETURNING key, account_id, model, occurred_at, status,
              input_tokens, output_tokens, cached_input_tokens, reasoning_tokens
), counted AS (
    INSERT INTO usage_profile AS profile (
        account_id, model, hour, requests, failures,
        input_tokens, output_tokens, cached_input_tokens, reasoning_tokens
    )
    SELECT account_id, model, date_trunc('hour', occurred_at, 'UTC') AS hour, count(*),
           count(*) FILTER (WHERE status <> 'ok'),
           sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(reasoning_tokens)
    FROM stored GROUP BY account_id, hour, model ORDER BY account_id, hour, model
    ON CONFLICT (account_id, hour, model) DO UPDATE SET
        requests = profile.requests + excluded.requests,
        failures = profile.failures + excluded.failures,
        input_tokens = profile.input_tokens + excluded.input_tokens,
        output_tokens = profile.output_tokens + excluded.output_tokens,
        cached_input_tokens = profile.cached_input_tokens + excluded.cached_input_tokens,
        reasoning_tokens = profile.reasoning_tokens + excluded.reasoning_tokens
), marked AS (
    INSERT INTO usage_dirtyaccount AS dirty (account_id, version, dirty_since, token, attempts, last_error)
    SELECT DISTINCT account_id, 1, %(now)s::timestamptz, 0, 0, '' FROM stored ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE SET version = dirty.version + 1
)
SELECT key FROM stored
"""

CLAIM = """
WITH free AS (
    SELECT account_id FROM usage_dirtyaccount
    WHERE set_aside_at IS NULL AND (lease_until IS NULL OR lease_until <= %(now)s)
      AND attempts < %(attempts_allowed)s
    ORDER BY dirty_since LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE usage_dirtyaccount AS dirty
SET lease_until = %(lease_until)s, token = dirty.token + 1
FROM free WHERE dirty.account_id = free.account_id
RETURNING dirty.account_id, dirty.version, dirty.token, dirty.attempts
"""

FINISH = """
WITH scored AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(versions)s::bigint[]) AS scored (account_id, version)
), cleaned AS (
    DELETE FROM usage_dirtyaccount AS dirty USING scored
    WHERE dirty.account_id = scored.account_id AND dirty.version = scored.version
)
UPDATE usage_dirtyaccount AS dirty SET lease_until = NULL, attempts = 0
FROM scored WHERE dirty.account_id = scored.account_id AND dirty.version <> scored.version
"""

MARK = """
INSERT INTO usage_dirtyaccount AS dirty (account_id, version, dirty_since, token, attempts, last_error)
SELECT unnest(%(accounts)s::bigint[]), 1, %(now)s, 0, 0, ''
ON CONFLICT (account_id) DO UPDATE SET version = dirty.version + 1
"""
