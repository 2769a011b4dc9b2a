"""The queries that compare which names live restrictions cover with those that are published."""

from typing import Final

# Said of organisations that there is one: else all accounts may be read for each restriction on an account.
# What the live restrictions cover by the register as it is; with `accounts`, of organisations these accounts alone.
_COVERED: Final = """
    WITH live AS (
        SELECT number, account_id, key_id, organisation_id FROM restrictions_restriction
        WHERE ended_at IS NULL AND (%(numbers)s::bigint[] IS NULL OR number = ANY(%(numbers)s))
    ), member AS (
        SELECT live.number, account.id, account.external_id
        FROM live JOIN accounts_account account ON account.id = live.account_id
        UNION ALL
        SELECT live.number, account.id, account.external_id
        FROM live JOIN accounts_account account ON account.organisation_id = live.organisation_id
        WHERE live.organisation_id IS NOT NULL
          AND (%(accounts)s::bigint[] IS NULL OR account.id = ANY(%(accounts)s))
    ), named_key AS (
        SELECT member.number, key.external_id, key.digest
        FROM member JOIN accounts_apikey key ON key.account_id = member.id AND key.contested_at IS NULL
        UNION ALL
        SELECT live.number, key.external_id, key.digest FROM live JOIN accounts_apikey key ON key.id = live.key_id
    ), lost_name AS (
        SELECT account_id, key_id, organisation_id, kind, name FROM restrictions_lostname lost WHERE NOT EXISTS (
            SELECT FROM accounts_apikey key WHERE key.tied_by <> 'usage'
            AND CASE WHEN lost.kind = 'key' THEN lost.name END = key.external_id
        ) AND NOT EXISTS (
            SELECT FROM accounts_apikey key WHERE key.tied_by <> 'usage'
            AND CASE WHEN lost.kind = 'digest' THEN decode(lost.name, 'hex') END = key.digest
        )
    ), covered AS (
        SELECT live.number, 'organisation' AS kind, organisation.external_id AS name
        FROM live JOIN accounts_organisation organisation ON organisation.id = live.organisation_id
        UNION ALL SELECT number, 'account', external_id FROM member
        UNION ALL SELECT number, 'key', external_id FROM named_key
        UNION ALL SELECT number, 'digest', encode(digest, 'hex') FROM named_key WHERE digest IS NOT NULL
        UNION ALL
        SELECT member.number, lost_name.kind, lost_name.name
        FROM member JOIN lost_name ON lost_name.account_id = member.id
        UNION ALL SELECT live.number, lost_name.kind, lost_name.name FROM live JOIN lost_name USING (organisation_id)
        UNION ALL SELECT live.number, lost_name.kind, lost_name.name FROM live JOIN lost_name USING (key_id)
    )
"""
# Beside it the published names.
_COMPARED: Final = f"""
    {_COVERED}, published AS (
        SELECT restriction_id, kind, name FROM restrictions_coveredname
        WHERE (%(numbers)s::bigint[] IS NULL OR restriction_id = ANY(%(numbers)s))
          AND restriction_id NOT IN (SELECT number FROM restrictions_restriction WHERE is_end_unpublished)
    ), missing AS (
        SELECT number, kind, name FROM covered EXCEPT SELECT restriction_id, kind, name FROM published
    ), surplus AS (
        SELECT restriction_id, kind, name FROM published EXCEPT SELECT number, kind, name FROM covered
    )
"""  # noqa: S608 - no value in it
DIFFERING: Final = f"{_COMPARED} SELECT number FROM missing UNION SELECT restriction_id FROM surplus"  # noqa: S608
OUTDATED: Final = f"""
    {DIFFERING}
    UNION SELECT number FROM restrictions_restriction
    WHERE ended_at IS NULL AND published_in_full_by IS NULL
      AND (%(numbers)s::bigint[] IS NULL OR number = ANY(%(numbers)s))
    ORDER BY number
"""  # noqa: S608 - no value in it
# Those that cover names of `accounts` that are not published yet. By the index of published names: a large organisation
# has too many to be compared for one account.
LACKING: Final = f"""
    {_COVERED}
    SELECT DISTINCT number FROM covered WHERE NOT EXISTS (
        SELECT FROM restrictions_coveredname published
        WHERE (published.restriction_id, published.kind, published.name) = (covered.number, covered.kind, covered.name)
    )
"""  # noqa: S608 - no value in it
# Those of one that is published in part are few, or many: they are published by themselves, without all the others.
# A difference of sets, and not a search for each account: just after many names were inserted the planner has no
# statistics of them, and would scan all of them for each account.
UNPUBLISHED: Final = """
    WITH unpublished AS (
        SELECT restriction.number, account.external_id
        FROM restrictions_restriction restriction
        JOIN accounts_account account ON account.organisation_id = restriction.organisation_id
        WHERE restriction.number = ANY(%(numbers)s) AND restriction.ended_at IS NULL
        EXCEPT
        SELECT restriction_id, name FROM restrictions_coveredname
        WHERE restriction_id = ANY(%(numbers)s) AND kind = 'account'
    )
    SELECT unpublished.number, restriction.published_in_full_by IS NULL, account.id
    FROM unpublished
    JOIN accounts_account account USING (external_id) JOIN restrictions_restriction restriction USING (number)
    ORDER BY unpublished.number, account.id
"""
UPDATE: Final = f"""
    {_COMPARED}, added AS (
        INSERT INTO restrictions_coveredname (restriction_id, kind, name) SELECT number, kind, name FROM missing
        RETURNING restriction_id, kind, name
    ), removed AS (
        DELETE FROM restrictions_coveredname published USING surplus
        WHERE (published.restriction_id, published.kind, published.name)
            = (surplus.restriction_id, surplus.kind, surplus.name)
        RETURNING published.restriction_id, published.kind, published.name
    )
    SELECT restriction_id, kind, name, true FROM added UNION ALL SELECT restriction_id, kind, name, false FROM removed
"""  # noqa: S608 - no value in it
# Of the first accounts, or of some more: all that was published before need not be compared.
ADD: Final = f"""
    {_COVERED}
    INSERT INTO restrictions_coveredname (restriction_id, kind, name) SELECT number, kind, name FROM covered
    ON CONFLICT DO NOTHING
    RETURNING restriction_id, kind, name, true
"""  # noqa: S608 - no value in it
# Most are noted already when a restriction ends: to leave them out takes a tenth of the time of inserting in vain. By a
# difference of sets, as above.
KEEP_ACCOUNTS: Final = """
    INSERT INTO restrictions_coveredaccount (restriction_id, account_id)
    SELECT number, account_id FROM (
        SELECT restriction.number, account.id AS account_id
        FROM restrictions_restriction restriction
        JOIN accounts_account account ON account.organisation_id = restriction.organisation_id
        WHERE restriction.number = ANY(%(numbers)s) AND restriction.organisation_id IS NOT NULL
          AND (%(accounts)s::bigint[] IS NULL OR account.id = ANY(%(accounts)s))
        UNION ALL
        SELECT restriction.number, key.account_id
        FROM restrictions_restriction restriction JOIN accounts_apikey key ON key.id = restriction.key_id
        WHERE restriction.number = ANY(%(numbers)s)
    ) is_on
    EXCEPT
    SELECT restriction_id, account_id FROM restrictions_coveredaccount
    WHERE restriction_id = ANY(%(numbers)s) AND (%(accounts)s::bigint[] IS NULL OR account_id = ANY(%(accounts)s))
    ON CONFLICT DO NOTHING
"""
# Counts no further than it must, whatever the planner believes of names that were just written.
FEW: Final = """
    SELECT covered.restriction_id, covered.kind, covered.name
    FROM unnest(%(numbers)s::bigint[]) AS wanted (number)
    CROSS JOIN LATERAL (
        SELECT count(*) AS names FROM (
            SELECT FROM restrictions_coveredname WHERE restriction_id = wanted.number LIMIT %(most)s + 1
        ) counted
    ) size
    JOIN restrictions_coveredname covered ON covered.restriction_id = wanted.number
    WHERE size.names <= %(most)s
"""
