"""Assessments, the calibrations they are made by, and the corpora that are known."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Subquery

from accounts.models import Account
from governance.detection.finding import UNMEASURED, percent
from governance.detection.indicator_kinds import INDICATOR_KIND_CHOICES
from governance.detection.scoring import Band
from governance.detection.thresholds import Response

BAND_CHOICES = [(band.value, band.value.capitalize()) for band in Band]

RESPONSE_CHOICES = [(response.value, response.value.capitalize()) for response in Response]


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def flagged(self) -> Self:
        """Those that the policy wanted a person to look at."""
        return self.filter(response=Response.CASE)

    def latest_of_each(self) -> Self:
        """The newest assessment of every account."""
        newest = Assessment.objects.filter(account=OuterRef("account")).order_by("-assessed_at", "-pk")
        return self.filter(pk=Subquery(newest.values("pk")[:1]))


class Assessment(models.Model):
    """One scoring of an account. A new row whenever what it says has changed; else the last one is confirmed.

    `findings` is a list of objects: detector, title, family, version, strength (0–1), points, sentence, evidence,
    harmless. Points may be negative; after the caps that scoring states they add up to `score`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="assessments")
    assessed_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(help_text="The last scoring with the same result.")
    window_start = models.DateTimeField(help_text="Start of the assessed usage.")
    window_end = models.DateTimeField(help_text="End of the assessed usage.")
    events = models.BigIntegerField(help_text="Usage events in the window.")
    output_tokens = models.BigIntegerField(default=0, db_default=0, help_text="Output tokens in the window.")
    score = models.SmallIntegerField()
    band = models.CharField(max_length=10, choices=BAND_CHOICES)
    probability = models.FloatField(
        default=0.0, help_text="Probability of a harvest, 0 to 1, at the base rate set then."
    )
    probability_low = models.FloatField(default=0.0, help_text="Lower end of its interval of 95 %.")
    probability_high = models.FloatField(default=1.0, help_text="Upper end of its interval of 95 %.")
    texts = models.BigIntegerField(default=0, help_text="Usage events with text in the window.")
    content_log_odds = models.FloatField(
        null=True, help_text="Log-odds of a harvest by what it asked alone, for even odds beforehand, in nats."
    )
    findings = models.JSONField(default=list)
    harmless = models.JSONField(default=dict, help_text="The strongest innocent explanation, with its figures.")
    campaign = models.UUIDField(null=True, help_text="The campaign it belonged to.")
    model_version = models.CharField(max_length=40)
    licensed = models.BooleanField(help_text="Training on the answers was permitted then.")
    response = models.CharField(max_length=10, choices=RESPONSE_CHOICES, help_text="The response to this assessment.")
    policy_version = models.CharField(max_length=40)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ("-assessed_at",)
        indexes: ClassVar = [models.Index(fields=["account", "-assessed_at"], name="assessment_by_account")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(score__range=(0, 100)), name="score_from_0_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.score} ({self.band})"

    @property
    def chance(self) -> str:
        """The probability of a harvest with its interval, in words."""
        likely, low, high = map(percent, (self.probability, self.probability_low, self.probability_high))
        return f"{likely} ({low} to {high})" if low != high else likely

    @property
    def families(self) -> frozenset[str]:
        """The kinds of evidence against the account that an automatic restriction may count."""
        return frozenset(self.families_against) - UNMEASURED

    @property
    def families_against(self) -> list[str]:
        """The kinds of evidence against the account."""
        return sorted({finding["family"] for finding in self.findings if finding["points"] > 0})


class AccountScore(models.Model):
    """The newest assessment of an account, so that accounts are listed by score however many there are.

    A trigger keeps it (see the migration), so that it says the same as the assessments whoever stores one.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="score")
    assessment = models.OneToOneField(Assessment, on_delete=models.CASCADE, related_name="+")
    score = models.SmallIntegerField()
    band = models.CharField(max_length=10, choices=BAND_CHOICES)
    assessed_at = models.DateTimeField()

    class Meta:
        ordering = ("-score", "account")
        indexes: ClassVar = [models.Index(fields=["-score", "account"], name="account_score")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.score}"


class CalibrationVersion(models.Model):
    """The weights that were put in force: the newest row's count. Without any the packaged ones do."""

    version = models.CharField(max_length=40, unique=True)
    content = models.TextField(help_text="The file written by `manage.py calibrate`.")
    in_force_since = models.DateTimeField()
    put_in_force_by = models.CharField(max_length=200)

    class Meta:
        ordering = ("-in_force_since", "-pk")

    def __str__(self) -> str:
        return self.version


class Corpus(models.Model):
    """A known body of prompts, kept as keyed digests of some of its runs of four words; nothing else of it is."""

    name = models.CharField(max_length=100, unique=True)
    evaluation = models.BooleanField(
        default=False, help_text="A public evaluation, which counts in favour of an account."
    )
    texts = models.IntegerField()
    runs = models.IntegerField(help_text="Number of runs kept.")
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = "known corpus"
        verbose_name_plural = "known corpora"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class CorpusShingle(models.Model):
    """A run of four words that is in a corpus."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="+")
    digest = models.BigIntegerField()

    class Meta:
        verbose_name = "known-corpus digest"
        verbose_name_plural = "known-corpus digests"
        constraints: ClassVar = [models.UniqueConstraint(fields=["digest", "corpus"], name="one_row_a_run_and_corpus")]

    def __str__(self) -> str:
        return f"{self.digest:x} of {self.corpus_id}"


class PartnerMatch(models.Model):
    """An indicator of a partner fits an account, as long as it is in force: see partner_matches.py."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="partner_matches")
    partner = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=INDICATOR_KIND_CHOICES)
    since = models.DateTimeField()

    class Meta:
        verbose_name = "match with a partner's indicator"
        verbose_name_plural = "matches with partners' indicators"
        ordering = ("account", "partner", "kind")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "partner", "kind"], name="one_match_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.kind} named by {self.partner}"
