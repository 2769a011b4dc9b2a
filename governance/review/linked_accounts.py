"""The accounts that share a card or a wrapper with the account of a case, for its page."""

import uuid
from typing import Final, NamedTuple

from django.db import connection

from governance.campaigns.traits import TraitKind
from governance.review.models import Case
from governance.review.wording import outcome_word
from governance.usage.profiles.content import STEADY_USES

LINKED_SHOWN: Final = 12


class LinkedAccount(NamedTuple):
    """Another account that something ties to this one; `case` is its newest case, if it ever had one, and `status`
    says that it is open, or the action that was decided.
    """

    external_id: str
    organisation: str
    on_card: bool
    same_wrapping: bool
    case: uuid.UUID | None
    score: int | None
    band: str
    status: str

    @property
    def state(self) -> str:
        """What has become of the case, in a word: open, or what was decided."""
        return self.status if self.status in Case.Status.values else outcome_word(self.status)


class LinkedAccounts(NamedTuple):
    """The foremost linked accounts, how many there are by each kind of tie, and how many by any."""

    accounts: list[LinkedAccount]
    on_card: int
    same_wrapping: int
    number: int

    @property
    def more(self) -> int:
        """Linked accounts that are not shown."""
        return self.number - len(self.accounts)


def get_linked_accounts(account_pk: int) -> LinkedAccounts:
    """Accounts on the same card or with the same templates, those with the highest scores first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH tie AS (
                SELECT other.id, true AS on_card, false AS same_wrapping
                FROM accounts_account AS mine JOIN accounts_account AS other USING (payment_fingerprint)
                WHERE mine.id = %(account)s AND mine.payment_fingerprint <> '' AND other.payment_fingerprint <> ''
                UNION ALL
                SELECT other.account_id, false, true
                FROM campaigns_accounttrait AS mine JOIN campaigns_accounttrait AS other USING (kind, digest)
                WHERE mine.account_id = %(account)s AND kind = %(opening)s
                  AND mine.uses >= %(steady)s AND other.uses >= %(steady)s
                  AND (other.organisation IS DISTINCT FROM mine.organisation OR mine.organisation IS NULL)
            ), linked AS (
                SELECT id, bool_or(on_card) AS on_card, bool_or(same_wrapping) AS same_wrapping
                FROM tie WHERE id <> %(account)s GROUP BY id
            )
            SELECT account.external_id, coalesce(organisation.name, ''), on_card, same_wrapping,
                   newest.id, newest.score, coalesce(newest.band, ''), coalesce(newest.status, ''),
                   count(*) FILTER (WHERE on_card) OVER (), count(*) FILTER (WHERE same_wrapping) OVER (),
                   count(*) OVER ()
            FROM linked JOIN accounts_account AS account USING (id)
            LEFT JOIN accounts_organisation AS organisation ON organisation.id = account.organisation_id
            LEFT JOIN LATERAL (
                SELECT known.id, score, band, CASE WHEN status = 'open' THEN status ELSE coalesce(
                    (SELECT action FROM review_decision WHERE case_id = known.id AND undone_at IS NULL),
                    (SELECT action FROM review_decision AS other WHERE other.id = known.resolved_by_id),
                    status
                ) END AS status
                FROM review_case AS known WHERE account_id = account.id ORDER BY opened_at DESC LIMIT 1
            ) AS newest ON true
            ORDER BY (on_card AND same_wrapping) DESC, on_card DESC, newest.score DESC NULLS LAST, account.external_id
            LIMIT %(most)s
            """,
            {
                "account": account_pk,
                "opening": TraitKind.OPENING.value,
                "steady": STEADY_USES,
                "most": LINKED_SHOWN,
            },
        )
        rows = cursor.fetchall()
    counts = rows[0][-3:] if rows else (0, 0, 0)
    return LinkedAccounts([LinkedAccount(*row[:-3]) for row in rows], *counts)
