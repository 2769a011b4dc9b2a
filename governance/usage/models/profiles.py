"""What each account did, by hour and week: counters and sketches, and the deltas that are not merged yet."""

from typing import ClassVar

from django.db import models

from accounts.models import Account


class HourlyCounters(models.Model):
    """What an account did with a model in an hour, as counters: `usage.profiles.merging` says how they are merged."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="%(class)ss"
    )
    model = models.CharField(max_length=128)
    hour = models.DateTimeField(help_text="The start of the hour, UTC.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    requests = models.IntegerField()
    failures = models.IntegerField(help_text="Requests that ended in error, refused or rate_limited.")
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cached_input_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    input_squares = models.FloatField()
    output_squares = models.FloatField()
    gaps = models.IntegerField(help_text="Number of gaps between requests.")
    gap_seconds = models.FloatField()
    gap_squares = models.FloatField()
    slots = models.SmallIntegerField(help_text="Which ten minutes of the hour had a request: bit 0 for the first ten.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.account} {self.model} {self.hour:%Y-%m-%dT%H}"


class Sketches(models.Model):
    """What an account did with a model as far as counters cannot tell: see the modules of `usage.profiles`."""

    histograms = models.BinaryField()
    distinct_counts = models.BinaryField()
    templates = models.BinaryField()
    openings = models.BinaryField()
    closings = models.BinaryField()
    addresses = models.BinaryField()
    sketches = models.BinaryField()
    shingles = models.BinaryField()
    answers = models.BinaryField()

    class Meta:
        abstract = True


class ProfileDelta(HourlyCounters, Sketches):
    """What one batch adds to the profile of an account, a model and an hour. Intake appends, compaction takes away."""

    class Meta:
        ordering = ("-hour",)
        indexes: ClassVar = [models.Index(fields=["account"], name="delta_by_account")]


class HourlyProfile(HourlyCounters):
    """What an account did with a model in an hour, without the deltas that are not compacted yet."""

    class Meta:
        ordering = ("-hour",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "hour", "model"], name="one_profile_an_hour"),
        ]


class WeeklySketch(Sketches):
    """What an account did with a model in a week, without the deltas that are not compacted yet."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="weekly_sketches"
    )
    model = models.CharField(max_length=128)
    week = models.DateField(help_text="The Monday it begins with, UTC.")

    class Meta:
        ordering = ("-week",)
        verbose_name_plural = "weekly sketches"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "week", "model"], name="one_sketch_a_week"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.model} {self.week}"
