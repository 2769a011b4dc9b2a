"""What a bundle is about: the accounts of a case, the entries of the log about them, and as of when it speaks.

Its proofs lead to the first published checkpoint that covers everything the log says about the case, and it speaks as
of then, or of the newest thing that the log has no entry of, such as an assessment. Exports and readings
are entries too, but are not about what happened: so the same bundle can be made again after it was made.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Final

from django.conf import settings
from django.db.models import Max, Q

from accounts.models import Account, ApiKey
from governance.audit.models import Checkpoint, Entry, EntryQuerySet
from governance.audit.publishing import publish
from governance.audit.queries import get_published_log
from governance.audit.verbs import Verb
from governance.campaigns.models import CampaignMember
from governance.detection.models import Assessment, CalibrationVersion
from governance.evidence.models import SealedAccount, UsageSeal
from governance.gateways.models import Refusal
from governance.restrictions.models import Restriction, RestrictionQuerySet
from governance.review.models import Case

NOT_PUBLISHED: Final = "The audit log is not published, so nothing can be proved: manage.py doctor says why."
NOT_ABOUT_IT: Final = (Verb.EVIDENCE_EXPORTED, Verb.EVIDENCE_DOWNLOADED, Verb.EXCERPTS_READ)


class NotPublishedError(Exception):
    """The log, or what it says of the case, is not published, so nothing can be proved; the message says why."""


class NotYetPublishedError(NotPublishedError):
    """The newest entries about the case wait to be published."""


class Scope:
    """The accounts of a case and what the log has about them.

    With `publishes` what is new in the log is published first, where this process has its folder. Raises
    NotPublishedError.
    """

    def __init__(self, case: Case, *, now: datetime, publishes: bool = True) -> None:
        self.case = case
        self._members = None if case.account_id else _members_of(case)
        self.origin = get_published_log().origin
        self.checkpoint = self._find_checkpoint() or self._wait_for_checkpoint(publishes=publishes, now=now)
        self.as_of = max([self.checkpoint.at, *self._times_without_entries()])

    @cached_property
    def accounts(self) -> list[Account]:
        """Those of the case by their ids: its own, or the members that its campaign has or had."""
        found = Account.objects.filter(pk__in=self._account_pks).select_related("organisation")
        return sorted(found, key=lambda one: one.external_id)

    @cached_property
    def members(self) -> dict[int, CampaignMember]:
        """How each account belongs to the campaign, by its primary key; empty where the case is about one account."""
        return {one.account_id: one for one in self._members or ()}

    @cached_property
    def _account_pks(self) -> list[int]:
        return [self.case.account_id] if self.case.account_id else list(self.members)

    @cached_property
    def restrictions(self) -> RestrictionQuerySet:
        """What was put in force on the accounts, their keys and their organisations."""
        organisations = {one.organisation_id for one in self.accounts} - {None}
        pks = self._account_pks
        on = Q(account__in=pks) | Q(key__account__in=pks) | Q(organisation__in=organisations)
        return Restriction.objects.filter(on)

    @cached_property
    def seals(self) -> dict[date, UsageSeal]:
        """The newest seal of each day on which one of the accounts has usage, by day."""
        used = SealedAccount.objects.filter(account__in=self._account_pks).order_by().values("seal")
        newest = UsageSeal.objects.latest_per_day().values("pk")
        return {one.day: one for one in UsageSeal.objects.filter(pk__in=used).filter(pk__in=newest).order_by("day")}

    @cached_property
    def entries(self) -> EntryQuerySet:
        """The entries about the case, its accounts, their keys and organisations, its campaign, and the calibrations
        by which they were assessed.
        """
        pks = self._account_pks
        organisations = {one.organisation.external_id for one in self.accounts if one.organisation is not None}
        campaigns = {str(self.case.campaign_id)} if self.case.campaign_id else set()
        cases = Case.objects.filter(Q(account__in=pks) | Q(pk=self.case.pk)).order_by().values_list("pk", flat=True)
        versions = Assessment.objects.filter(account__in=pks).order_by().values_list("model_version").distinct()
        calibrations = CalibrationVersion.objects.filter(version__in=versions).values_list("version", flat=True)
        about = (
            Q(verb=Verb.LOG_KEY_USED)
            | _about("account", (one.external_id for one in self.accounts))
            | _about("key", ApiKey.objects.filter(account__in=pks).values_list("external_id", flat=True))
            | _about("organisation", organisations)
            | _about("campaign", campaigns)
            | _about("case", map(str, cases))
            | _about("calibration", calibrations)
            | Q(number__in=UsageSeal.objects.filter(day__in=[*self.seals]).values("entry"))
        )
        return Entry.objects.filter(about).exclude(verb__in=NOT_ABOUT_IT)

    def _times_without_entries(self) -> list[datetime]:
        """When something happened of which the log has no entry: cases opened by themselves, assessments, refusals."""
        pks = [one.pk for one in self.accounts]
        assessed = Assessment.objects.filter(account__in=pks).aggregate(at=Max("assessed_at"))["at"]
        refused = Refusal.objects.filter(restriction__in=self.restrictions.values("pk")).aggregate(at=Max("first_at"))
        joined = max((one.joined_at for one in self.members.values()), default=None)
        times = (self.case.opened_at, self.case.closed_at, self.case.assessment.assessed_at, assessed, joined)
        return [at for at in (*times, refused["at"]) if at is not None]

    def _find_checkpoint(self) -> Checkpoint | None:
        last = self.entries.aggregate(last=Max("number"))["last"] or 1
        return Checkpoint.objects.of_log(self.origin).filter(size__gte=last).order_by("size").first()

    def _wait_for_checkpoint(self, *, publishes: bool, now: datetime) -> Checkpoint:
        if not publishes and settings.AUDIT_KEYS:
            raise NotYetPublishedError(NOT_PUBLISHED)
        publish(now=now)
        if (checkpoint := self._find_checkpoint()) is None:
            raise NotPublishedError(NOT_PUBLISHED)
        return checkpoint


def _about(kind: str, ids: Iterable[str]) -> Q:
    return Q(subject_kind=kind, subject_id__in=list(ids))


def _members_of(case: Case) -> Sequence[CampaignMember]:
    return list(CampaignMember.objects.filter(campaign=case.campaign_id, left_out_because="").order_by("joined_at"))
