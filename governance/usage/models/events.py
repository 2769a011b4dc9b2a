"""Usage events by day, what was said of them again, and from when on they are kept."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.web.visible import escape_invisible


class UsageEvent(models.Model):
    """One request to the model, without its text.

    In the database this table is partitioned by `day` and its key is (key, day): see the migration. `key` is a
    digest of source, account and event id, which makes the index small and the same event twice one event. The digests,
    the sketch and the markers are described in fingerprint.py; they are null where the event came without text.
    """

    key = models.UUIDField(primary_key=True)
    day = models.DateField(help_text="The UTC day of the event's own time.")
    occurred_at = models.DateTimeField()
    source = models.CharField(max_length=32)
    event_id = models.CharField(max_length=200)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="usage_events"
    )
    api_key = models.CharField(max_length=128, null=True)  # noqa: DJ001 - null and empty differ on the wire
    model = models.CharField(max_length=128)
    operation = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    input_tokens = models.IntegerField(null=True, help_text="Null if nobody counted them.")
    output_tokens = models.IntegerField(null=True)
    cached_input_tokens = models.IntegerField()
    reasoning_tokens = models.IntegerField()
    latency_ms = models.IntegerField(null=True)
    ip = models.GenericIPAddressField(null=True)
    asn = models.BigIntegerField(null=True)
    country = models.CharField(max_length=2, null=True)  # noqa: DJ001 - as above
    user_agent = models.CharField(max_length=256, null=True)  # noqa: DJ001 - as above
    end_user = models.CharField(max_length=256, null=True)  # noqa: DJ001 - as above
    conversation = models.CharField(max_length=256, null=True)  # noqa: DJ001 - as above
    temperature = models.FloatField(null=True)
    top_p = models.FloatField(null=True)
    n = models.SmallIntegerField()
    max_tokens = models.IntegerField(null=True)
    logprobs = models.BooleanField()
    top_logprobs = models.SmallIntegerField()
    seeded = models.BooleanField()
    stream = models.BooleanField()
    response_format = models.CharField(max_length=64, null=True)  # noqa: DJ001 - as above
    tools = models.SmallIntegerField()
    prompt_digest = models.BigIntegerField(null=True)
    template_digest = models.BigIntegerField(null=True)
    system_digest = models.BigIntegerField(null=True)
    sketch = models.BigIntegerField(null=True)
    markers = models.BigIntegerField(null=True)
    topic = models.SmallIntegerField(null=True)
    language = models.CharField(max_length=2, null=True)  # noqa: DJ001 - as above
    prompt_chars = models.IntegerField(null=True)
    asked_chars = models.IntegerField(null=True)
    system_chars = models.IntegerField(null=True)
    system_place = models.SmallIntegerField(null=True)
    turns = models.SmallIntegerField(null=True)

    class Meta:
        ordering = ("-occurred_at",)

    def __str__(self) -> str:
        return escape_invisible(self.event_id)


class ReportedAnswer(models.Model):
    """An answer that may be reported again, by the digest of source, account and answer id: see answers.py."""

    key = models.UUIDField(primary_key=True)
    is_finished = models.BooleanField(help_text="The first report had tokens and is an event.")
    in_background = models.BooleanField(help_text="A report came without tokens: all reports are one event.")
    input_tokens = models.IntegerField(null=True, help_text="Figures read before the event was reported.")
    output_tokens = models.IntegerField(null=True)
    cached_input_tokens = models.IntegerField(null=True)
    reasoning_tokens = models.IntegerField(null=True)
    newest_at = models.DateTimeField(db_index=True, help_text="When its newest report arrived.")

    class Meta:
        verbose_name = "known response"
        verbose_name_plural = "known responses"

    def __str__(self) -> str:
        return str(self.key)


class EventConflict(models.Model):
    """How many events of an account bore the id of an earlier one, on the day they came in, and said something else.

    They are not counted as usage: the first one stands.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="event_conflicts")
    source = models.CharField(max_length=32)
    day = models.DateField(help_text="The UTC day on which they arrived.")
    events = models.IntegerField()
    in_time_alone = models.IntegerField(help_text="Those that differ in their time only.")
    newest_at = models.DateTimeField()

    class Meta:
        verbose_name = "conflicting event id"
        verbose_name_plural = "conflicting event ids"
        ordering = ("-day", "account", "source")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "source", "day"], name="one_count_of_conflicts_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: {self.events}"


class LateDay(models.Model):
    """A batch stored or completed events of a UTC day that was over: the day is to be sealed again.

    A row for each batch: one row for all would make batches wait for each other, or be gone before a batch commits.
    """

    day = models.DateField(db_index=True)

    class Meta:
        verbose_name = "day with late events"
        verbose_name_plural = "days with late events"

    def __str__(self) -> str:
        return str(self.day)


class HeldEvent(models.Model):
    """A usage event of an account under a legal hold, kept as JSON when its day was dropped."""

    key = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="held_events")
    day = models.DateField()
    event = models.JSONField(help_text="Its columns, as they were.")

    class Meta:
        ordering = ("-day", "key")

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}"


class Retention(models.Model):
    """From which day on usage events are kept. One row: an event of before would not be known as a duplicate."""

    kept_from = models.DateField()

    class Meta:
        verbose_name_plural = "retention"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=1), name="one_retention")]

    def __str__(self) -> str:
        return str(self.kept_from)
