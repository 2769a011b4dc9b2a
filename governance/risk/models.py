"""Assessments, and which accounts use which templates."""

from collections.abc import Collection
from typing import ClassVar, Self

from django.db import models
from django.db.models import Count, OuterRef, Subquery

from accounts.models import Account
from governance.risk.policy import Response
from governance.risk.scoring import Band

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
    confirmed_at = models.DateTimeField(help_text="The last scoring that came to the same.")
    window_start = models.DateTimeField(help_text="Usage from here …")
    window_end = models.DateTimeField(help_text="… to here was looked at.")
    events = models.BigIntegerField(help_text="Usage events in the window.")
    score = models.SmallIntegerField()
    band = models.CharField(max_length=10, choices=BAND_CHOICES)
    findings = models.JSONField(default=list)
    model_version = models.CharField(max_length=40)
    licensed = models.BooleanField(help_text="Training on the answers was permitted at the time.")
    response = models.CharField(max_length=10, choices=RESPONSE_CHOICES, help_text="What the policy made of it.")
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


class TemplateUseQuerySet(models.QuerySet["TemplateUse"]):
    def neighbours(self, digests: Collection[int], *, most: int) -> set[int]:
        """The accounts that use one of these templates, but for templates used by more than `most`."""
        of_these = self.filter(template_digest__in=digests)
        rare = of_these.values("template_digest").annotate(users=Count("pk")).filter(users__lte=most)
        return set(
            of_these.filter(template_digest__in=rare.values("template_digest")).values_list("account", flat=True)
        )


class TemplateUse(models.Model):
    """An account uses a prompt template much: how accounts that share one find each other."""

    template_digest = models.BigIntegerField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="template_uses")
    organisation = models.BigIntegerField(null=True, help_text="The account's, so that sharing is counted across them.")
    events = models.IntegerField()
    seen_at = models.DateTimeField()

    objects = TemplateUseQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["template_digest", "account"], name="one_row_a_template_and_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} uses {self.template_digest:x}"
