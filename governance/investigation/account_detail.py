"""The data of an account's page. Each part is asked for when the page first needs it, in one query."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields import CharField
from django.db.models.functions import Cast, JSONObject
from django.utils.functional import cached_property

from accounts.models import Account, ApiKey, Licence, TermsAcceptance
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.models import Assessment
from governance.detection.scoring import REVIEW_LINE
from governance.investigation.links import Links, get_links
from governance.investigation.score_history import ScoreHistory, build_score_history
from governance.investigation.search import with_brief
from governance.investigation.usage_summary import Period, UsageSummary, summarise_usage
from governance.privacy.models import hold_reasons
from governance.restrictions.models import Restriction
from governance.review.case_findings import FindingRow, finding_rows
from governance.review.models import Case, Decision, DecisionTarget, Step
from governance.usage.queries import conflict_totals

KEYS_SHOWN: Final = 50
FACTS_SHOWN: Final = 20
SCORINGS_SHOWN: Final = 24
RESTRICTIONS_SHOWN: Final = 30
DECISIONS_SHOWN: Final = 12
STEPS_SHOWN: Final = 40
READINGS_SHOWN: Final = 30


def accounts_with_details() -> QuerySet[Account]:
    """Accounts with the rows of the register, their open campaign, and their cases."""
    keys = ApiKey.objects.filter(Q(account=OuterRef("pk")) | Q(contested_by=OuterRef("pk"))).order_by("external_id")
    key = JSONObject(
        pk="pk",
        id="external_id",
        owner="account__external_id",
        seen="first_seen_at",
        tied_by="tied_by",
        contested_by="contested_by__external_id",
    )
    licences = Licence.objects.filter(account=OuterRef("pk")).order_by("-starts_at")
    licence = JSONObject(training="training_permitted", starts="starts_at", ends="ends_at", reference="reference")
    accepted = TermsAcceptance.objects.filter(account=OuterRef("pk")).order_by("-accepted_at")
    terms = JSONObject(name="terms__name", address="terms__address", at="accepted_at")
    member = CampaignMember.objects.current().filter(account=OuterRef("pk"), campaign__state=Campaign.State.OPEN)
    campaign = JSONObject(
        pk="campaign", size="campaign__size", score="campaign__score", joined="joined_at", tied="tied_to"
    )
    cases = Case.objects.filter(account=OuterRef("pk")).order_by("-opened_at", "-pk").values("pk")[:1]
    return with_brief(Account.objects.all()).annotate(
        key_rows=ArraySubquery(keys.values(row=key)[:KEYS_SHOWN]),
        licence_rows=ArraySubquery(licences.values(row=licence)[:FACTS_SHOWN]),
        terms_rows=ArraySubquery(accepted.values(row=terms)[:FACTS_SHOWN]),
        campaign=Subquery(member.order_by().values(row=campaign)[:1]),
        conflicts=Subquery(conflict_totals(OuterRef("pk"))),
        newest_case=Subquery(cases),
        watched_by=F("watched__added_by__name"),
        hold_reasons=hold_reasons(accounts__account=OuterRef("pk")),
    )


class AccountDetail:
    """An account from `accounts_with_details`, as its page shows it."""

    def __init__(self, account: Account, *, period: Period, now: datetime) -> None:
        self.account = account
        self.period = period
        self.now = now

    @property
    def review_line(self) -> int:
        return REVIEW_LINE

    @property
    def keys(self) -> list[dict[str, Any]]:
        """Its API keys, and those that usage names for it and for another account."""
        return [_with_times(row, "seen") for row in self._rows("key_rows")]

    @property
    def licences(self) -> list[dict[str, Any]]:
        return [_with_times(row, "starts", "ends") for row in self._rows("licence_rows")]

    @property
    def terms(self) -> list[dict[str, Any]]:
        """The versions of the terms that it accepted, where that is known."""
        return [_with_times(row, "at") for row in self._rows("terms_rows")]

    @property
    def campaign(self) -> dict[str, Any] | None:
        """The open campaign that it belongs to."""
        found = self._annotated("campaign")
        return _with_times(found, "joined") if found else None

    @cached_property
    def _assessments(self) -> list[Assessment]:
        """The newest first."""
        return list(
            Assessment.objects.filter(account=self.account).order_by("-assessed_at", "-pk")[: SCORINGS_SHOWN + 1]
        )

    @property
    def latest(self) -> Assessment | None:
        return next(iter(self._assessments), None)

    @cached_property
    def history(self) -> ScoreHistory | None:
        return build_score_history(self._assessments[::-1], review_line=REVIEW_LINE)

    @property
    def has_more_history(self) -> bool:
        return len(self._assessments) > SCORINGS_SHOWN

    @property
    def points_to_line(self) -> int:
        """How many points the score lies below the review line; 0 or less at or above it."""
        return REVIEW_LINE - self.latest.score if self.latest else REVIEW_LINE

    @cached_property
    def findings(self) -> list[FindingRow]:
        return finding_rows(self.latest.findings) if self.latest else []

    @cached_property
    def usage(self) -> UsageSummary:
        newest = self.latest.window_end if self.latest else self.now
        return summarise_usage(self.account, period=self.period, newest=newest, now=self.now)

    @cached_property
    def links(self) -> Links:
        return get_links(self.account.pk)

    @cached_property
    def restrictions(self) -> list[Restriction]:
        """On the account, its keys and its organisation: those in force first, then the newest."""
        keys = [row["pk"] for row in self._rows("key_rows")]
        named = Q(account=self.account) | Q(key__in=keys)
        if self.account.organisation_id is not None:
            named |= Q(organisation=self.account.organisation_id)
        found = Restriction.objects.filter(named).select_related("account", "key", "organisation").order_by("-number")
        return sorted(found[:RESTRICTIONS_SHOWN], key=lambda one: one.ended_at is not None)

    @property
    def in_force(self) -> list[Restriction]:
        return [one for one in self.restrictions if one.ended_at is None]

    @cached_property
    def decisions(self) -> list[Decision]:
        """Those about its own cases, and those about its campaign that cover it."""
        covering = DecisionTarget.objects.covered().filter(account=self.account).values("decision")
        about = Decision.objects.filter(Q(case__account=self.account) | Q(pk__in=covering))
        return list(about.select_related("decided_by", "assessment", "restriction")[:DECISIONS_SHOWN])

    @cached_property
    def steps(self) -> list[Step]:
        """The history of all its cases: openings, notes, decisions."""
        steps = Step.objects.filter(case__account=self.account).select_related("case").order_by("-at", "-pk")
        return list(steps[:STEPS_SHOWN])

    @cached_property
    def readings(self) -> list[Entry]:
        """Every time somebody read excerpts of its prompts, from the log."""
        cases = Case.objects.filter(account=self.account).order_by().values(identifier=Cast("pk", CharField()))
        about = Entry.objects.filter(verb=Verb.EXCERPTS_READ, subject_kind="case", subject_id__in=cases)
        return list(about.order_by("-number")[:READINGS_SHOWN])

    def _annotated(self, name: str) -> Any:
        return getattr(self.account, name)

    def _rows(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._annotated(name)
        return rows


def _with_times(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The row with these members as times; JSON writes them as text."""
    return {**row, **{name: datetime.fromisoformat(row[name]) if row[name] else None for name in names}}
