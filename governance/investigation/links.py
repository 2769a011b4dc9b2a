"""The accounts that something ties to an account: its campaign, its card, its prompts, its addresses."""

from typing import Final, NamedTuple

from django.db import connection

from governance.campaigns.traits import TraitKind
from governance.usage.profiles.content import STEADY_USES

LINKED_SHOWN: Final = 20
# Of those that share one thing. What very many share, such as the address of a large company, says little.
LOOKED_AT: Final = 100


class AccountLink(NamedTuple):
    """Another account, and what it has in common with this one."""

    external_id: str
    organisation: str
    in_campaign: bool
    on_card: bool
    same_wrapping: bool
    same_address: bool
    score: int | None
    band: str

    @property
    def ties(self) -> list[str]:
        names = ("same campaign", "same card", "same prompt openings", "same IP address")
        has = (self.in_campaign, self.on_card, self.same_wrapping, self.same_address)
        return [name for name, tied in zip(names, has, strict=True) if tied]


class Links(NamedTuple):
    """The most tied accounts first. `number` counts all that were looked at."""

    accounts: list[AccountLink]
    number: int


def get_links(account_pk: int) -> Links:
    """Return the accounts that most ties this one to. One query, which reads some of those that share each thing."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LINKS,
            {
                "account": account_pk,
                "opening": TraitKind.OPENING.value,
                "address": TraitKind.ADDRESS.value,
                "steady": STEADY_USES,
                "looked_at": LOOKED_AT,
                "most": LINKED_SHOWN,
            },
        )
        rows = cursor.fetchall()
    return Links([AccountLink(*row[:-1]) for row in rows], rows[0][-1] if rows else 0)


_LINKS: Final = """
WITH tie AS (
    SELECT other.account_id AS id, 'campaign' AS what
    FROM campaigns_campaignmember AS mine JOIN campaigns_campaign AS campaign ON campaign.id = mine.campaign_id
    CROSS JOIN LATERAL (
        SELECT account_id FROM campaigns_campaignmember
        WHERE campaign_id = mine.campaign_id AND left_at IS NULL AND left_out_because = ''
        ORDER BY strength DESC, account_id LIMIT %(looked_at)s
    ) AS other
    WHERE mine.account_id = %(account)s AND mine.left_at IS NULL AND mine.left_out_because = ''
      AND campaign.state = 'open'
    UNION ALL
    SELECT other.id, 'card' FROM accounts_account AS mine CROSS JOIN LATERAL (
        SELECT id FROM accounts_account
        WHERE payment_fingerprint = mine.payment_fingerprint AND payment_fingerprint <> '' LIMIT %(looked_at)s
    ) AS other
    WHERE mine.id = %(account)s
    UNION ALL
    SELECT other.account_id, CASE mine.kind WHEN %(opening)s THEN 'opening' ELSE 'address' END
    FROM campaigns_accounttrait AS mine CROSS JOIN LATERAL (
        SELECT account_id FROM campaigns_accounttrait AS one
        WHERE one.kind = mine.kind AND one.digest = mine.digest AND (mine.kind = %(address)s OR one.uses >= %(steady)s)
        LIMIT %(looked_at)s
    ) AS other
    WHERE mine.account_id = %(account)s
      AND (mine.kind = %(address)s OR (mine.kind = %(opening)s AND mine.uses >= %(steady)s))
), linked AS (
    SELECT id, bool_or(what = 'campaign') AS in_campaign, bool_or(what = 'card') AS on_card,
           bool_or(what = 'opening') AS same_wrapping, bool_or(what = 'address') AS same_address,
           count(DISTINCT what) AS ties
    FROM tie WHERE id <> %(account)s GROUP BY id
)
SELECT account.external_id, coalesce(nullif(organisation.name, ''), organisation.external_id, ''), in_campaign, on_card,
       same_wrapping, same_address, score.score, coalesce(score.band, ''), count(*) OVER ()
FROM linked JOIN accounts_account AS account USING (id)
LEFT JOIN accounts_organisation AS organisation ON organisation.id = account.organisation_id
LEFT JOIN detection_accountscore AS score ON score.account_id = account.id
ORDER BY ties DESC, score.score DESC NULLS LAST, account.external_id LIMIT %(most)s
"""
