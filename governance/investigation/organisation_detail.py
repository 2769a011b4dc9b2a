"""The data of an organisation's page."""

from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import IntegerField, Value
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property

from accounts.models import Account, Licence, Organisation
from governance.investigation.account_list import AccountPage, page_of_accounts
from governance.restrictions.models import Restriction
from governance.web.cursors import Cursor

LICENCES_SHOWN: Final = 20
RESTRICTIONS_SHOWN: Final = 30
# In the order of their scores, accounts that were never scored come last.
UNSCORED: Final = -1


class BandCount(NamedTuple):
    band: str
    number: int


class OrganisationTotals(NamedTuple):
    """The figures of all its accounts. `events` are those of the windows of their latest assessments."""

    accounts: int
    closed: int
    keys: int
    scored: int
    events: int
    highest: int | None
    critical: int
    high: int
    elevated: int
    low: int

    @property
    def bands(self) -> list[BandCount]:
        return [BandCount(band, getattr(self, band)) for band in ("critical", "high", "elevated", "low")]


class OrganisationDetail:
    """An organisation as its page shows it; each part is asked for when the page first needs it."""

    def __init__(self, organisation: Organisation, *, after: Cursor | None, now: datetime) -> None:
        self.organisation = organisation
        self.after = after
        self.now = now

    @cached_property
    def totals(self) -> OrganisationTotals:
        with connection.cursor() as cursor:
            cursor.execute(_TOTALS, {"organisation": self.organisation.pk})
            [row] = cursor.fetchall()
            return OrganisationTotals(*row)

    @cached_property
    def accounts(self) -> AccountPage:
        """Its accounts, the highest scores first."""
        rank = Coalesce("score__score", Value(UNSCORED), output_field=IntegerField())
        own = Account.objects.filter(organisation=self.organisation).annotate(rank=rank)
        return page_of_accounts(own, self.after, ("-rank", "pk"))

    @cached_property
    def licences(self) -> list[Licence]:
        licences = Licence.objects.filter(account__organisation=self.organisation).select_related("account")
        return list(licences.order_by("-starts_at", "pk")[:LICENCES_SHOWN])

    @cached_property
    def restrictions(self) -> list[Restriction]:
        """Those in force on the organisation itself first, then those on its accounts and their keys, newest first."""
        live = Restriction.objects.in_force(at=self.now).order_by("-number")
        found: set[int] = set()
        for target in ("organisation", "account__organisation", "key__account__organisation"):
            about = live.filter(**{target: self.organisation}).values_list("number", flat=True)
            found.update(about[:RESTRICTIONS_SHOWN])
        in_full = Restriction.objects.select_related("account", "key", "organisation").in_bulk(list(found))
        return sorted(in_full.values(), key=lambda one: (one.organisation_id is None, -one.number))[:RESTRICTIONS_SHOWN]


_TOTALS: Final = """
SELECT count(*), count(*) FILTER (WHERE account.status = 'closed'),
       (SELECT count(*) FROM accounts_apikey AS key JOIN accounts_account AS owner ON owner.id = key.account_id
        WHERE owner.organisation_id = %(organisation)s),
       count(score.score), coalesce(sum(assessment.events), 0)::bigint, max(score.score),
       count(*) FILTER (WHERE score.band = 'critical'), count(*) FILTER (WHERE score.band = 'high'),
       count(*) FILTER (WHERE score.band = 'elevated'), count(*) FILTER (WHERE score.band = 'low')
FROM accounts_account AS account LEFT JOIN detection_accountscore AS score ON score.account_id = account.id
LEFT JOIN detection_assessment AS assessment ON assessment.id = score.assessment_id
WHERE account.organisation_id = %(organisation)s
"""
