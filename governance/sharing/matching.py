"""Which accounts the indicators of partners fit: all accounts and all indicators in one query.

Cards and domains are digested in the database with the keys of each partner, as `SharedKey.digest` does. Addresses and
wordings are found among the shared signals of accounts, networks by the address of the sign-up.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection

from governance.campaigns.traits import TraitKind
from governance.detection.partner_matches import Match, replace_partner_matches
from governance.platform.encryption import DecryptionError
from governance.platform.locks import Lock, lock_until_commit
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.sharing.keys import shared_keys
from governance.sharing.models import Indicator, Partner
from governance.usage.scoring_queue import request_rescore

logger = logging.getLogger(__name__)

# An indicator that fits more accounts than this, such as the digest of a public mail service, says nothing.
MOST_ACCOUNTS: Final = 1_000

_MATCHES: Final = """
WITH live AS MATERIALIZED (
    SELECT indicator.id, indicator.kind, indicator.value, indicator.local_digest, partner.id AS partner, partner.name
    FROM sharing_indicator AS indicator JOIN sharing_partner AS partner ON partner.id = indicator.partner_id
    WHERE partner.sends AND partner.revoked_at IS NULL AND (partner.expires_at IS NULL OR partner.expires_at > %(now)s)
      AND indicator.revoked_at IS NULL AND indicator.valid_from <= %(now)s AND indicator.valid_until > %(now)s
), named_network AS MATERIALIZED (
    SELECT id, name, kind, value::inet AS network FROM live WHERE kind = 'network'
), said AS (
    SELECT 'card' AS kind, id AS account, payment_fingerprint AS value FROM accounts_account
    WHERE payment_fingerprint <> '' AND payment_fingerprint NOT LIKE 'erased-%%'
      AND EXISTS (SELECT FROM live WHERE kind = 'card')
    UNION ALL
    SELECT 'domain', id, email_domain FROM accounts_account
    WHERE email_domain <> '' AND email_domain NOT LIKE 'erased-%%' AND EXISTS (SELECT FROM live WHERE kind = 'domain')
), keyed AS (
    SELECT said.account, said.kind, shared.partner, 'v' || shared.version || ':' || encode(sha256(
        shared.outer_pad
        || sha256(shared.inner_pad || convert_to(lower(said.kind || ':' || said.value COLLATE "C"), 'UTF8'))
    ), 'hex') AS value
    FROM said, unnest(%(partners)s::uuid[], %(versions)s::int[], %(inner)s::bytea[], %(outer)s::bytea[])
        AS shared (partner, version, inner_pad, outer_pad)
), found AS (
    SELECT keyed.account, live.id, live.name, live.kind FROM keyed JOIN live USING (partner, kind, value)
    UNION
    SELECT trait.account_id, live.id, live.name, live.kind
    FROM live JOIN campaigns_accounttrait AS trait ON trait.digest = live.local_digest AND (
        (live.kind = 'address' AND trait.kind = %(address)s)
        OR (live.kind = 'wrapper' AND trait.kind IN (%(opening)s, %(closing)s))
    )
    UNION
    SELECT account.id, named.id, named.name, named.kind
    FROM named_network AS named JOIN accounts_account AS account
        ON account.signup_ip >= host(network(named.network))::inet
       AND account.signup_ip <= host(broadcast(named.network))::inet
), counted AS (
    SELECT account, name, kind, count(*) OVER (PARTITION BY id) AS accounts FROM found
)
SELECT DISTINCT account, name, kind FROM counted WHERE accounts <= %(most)s
"""


@retried_transaction
def match_indicators(*, now: datetime) -> int:
    """Store which accounts the indicators in force fit, and let those be scored again for whom this has changed.

    Return how many. An indicator that has expired, was retracted, or whose partner was revoked fits nobody.
    """
    # One at a time: of two, the one that has read less must not write last.
    lock_until_commit(Lock.PARTNER_MATCHING)
    with connection.cursor() as cursor:
        if Indicator.objects.in_force(at=now).exists():
            cursor.execute(_MATCHES, {**_parameters(now=now), "now": now, "most": MOST_ACCOUNTS})
            matches = [Match(*row) for row in cursor.fetchall()]
        else:
            matches = []
    changed = replace_partner_matches(matches, now=now)
    if changed:
        request_rescore(changed, now=now)
        enqueue_on_commit("governance.tasks.score_dirty_accounts")
    return len(changed)


def _parameters(*, now: datetime) -> dict[str, Any]:
    keys = [*_keys(now=now)]
    partners, versions, inner, outer = map(list, zip(*keys, strict=True)) if keys else ([], [], [], [])
    return {
        "partners": partners,
        "versions": versions,
        "inner": inner,
        "outer": outer,
        "address": TraitKind.ADDRESS.value,
        "opening": TraitKind.OPENING.value,
        "closing": TraitKind.CLOSING.value,
    }


def _keys(*, now: datetime) -> Iterator[tuple[Any, int, bytes, bytes]]:
    for partner in Partner.objects.usable(at=now).filter(sends=True):
        try:
            keys = shared_keys(partner)
        except DecryptionError:
            logger.warning("The key shared with %s cannot be read with the current SECRET_KEY.", partner.name)
            continue
        for key in keys:
            inner, outer = key.pads
            yield partner.pk, key.version, inner, outer
