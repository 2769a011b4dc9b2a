"""Usage events by day, hourly profiles, excerpts, and the accounts that wait to be scored."""

from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.platform.leases import is_over
from governance.staff.models import ServiceKey
from governance.web.visible import visible


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
        return visible(self.event_id)


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


class NewNameCount(models.Model):
    """How many accounts, keys and organisations that nobody knew came in with a service key in an hour."""

    service_key = models.ForeignKey(ServiceKey, on_delete=models.CASCADE, related_name="new_name_counts")
    hour = models.DateTimeField(help_text="The start of the hour, UTC.")
    names = models.IntegerField(default=0)

    class Meta:
        verbose_name = "count of new names"
        verbose_name_plural = "counts of new names"
        ordering = ("-hour", "service_key")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service_key", "hour"], name="one_count_of_new_names_an_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.service_key} {self.hour:%F %H}: {self.names}"


class Retention(models.Model):
    """From which day on usage events are kept. One row: an event of before would not be known as a duplicate."""

    kept_from = models.DateField()

    class Meta:
        verbose_name_plural = "retention"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=1), name="one_retention")]

    def __str__(self) -> str:
        return str(self.kept_from)


class LastUsage(models.Model):
    """The newest usage that came in over HTTP with a service key: by this a gateway is seen to serve customers."""

    service_key = models.OneToOneField(
        ServiceKey, on_delete=models.CASCADE, primary_key=True, related_name="last_usage"
    )
    newest_at = models.DateTimeField(help_text="Time of the newest event, by the gateway's clock.")
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "latest usage of a sender"
        verbose_name_plural = "latest usage by sender"
        ordering = ("service_key",)

    def __str__(self) -> str:
        return f"{self.service_key} {self.newest_at:%F %T}"


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

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.account} {self.model} {self.hour:%Y-%m-%dT%H}"


class Sketches(models.Model):
    """What an account did with a model as far as counters cannot tell: see the modules of `usage.profiles`."""

    histograms = models.BinaryField()
    distinct_counts = models.BinaryField()
    templates = models.BinaryField()
    addresses = models.BinaryField()
    sketches = models.BinaryField()
    shingles = models.BinaryField()

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


# So long a worker has an account for itself; it takes seconds to score one.
LEASE: Final = timedelta(minutes=2)


class DirtyAccountQuerySet(models.QuerySet["DirtyAccount"]):
    def waiting(self, *, at: datetime) -> Self:
        """Free to be claimed: neither dead-lettered nor leased."""
        return self.filter(dead_lettered_at=None).filter(is_over("lease_until", at=at, lasts=LEASE))

    def dead_letters(self) -> Self:
        return self.exclude(dead_lettered_at=None)


class DirtyAccount(models.Model):
    """An account with usage that no assessment has seen yet.

    `version` grows with every batch of usage, `token` with every claim: who finishes shows both, so that a worker
    that was thought dead can neither overwrite nor forget anything.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="dirty")
    version = models.BigIntegerField(default=1)
    is_forced = models.BooleanField(default=False, help_text="Score it even without new usage.")
    dirty_since = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.BigIntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    dead_lettered_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Set when three attempts have failed; requeue with `manage.py rescore --dead-letters`.",
    )

    objects = DirtyAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "account awaiting scoring"
        verbose_name_plural = "accounts awaiting scoring"
        indexes: ClassVar = [models.Index(fields=["dirty_since"], name="dirty_by_age")]

    def __str__(self) -> str:
        return str(self.account)


class ExcerptQuerySet(models.QuerySet["Excerpt"]):
    def kept(self, *, at: datetime) -> Self:
        return self.filter(expires_at__gt=at)

    def expired(self, *, at: datetime) -> Self:
        return self.filter(expires_at__lte=at)


class Excerpt(models.Model):
    """The beginning of a sampled prompt, encrypted, for a few weeks.

    Kept are the events of an account and day with the smallest keys: keys are digests, so that this is a fair
    sample which does not depend on order and which the same event twice does not change.
    """

    key = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="excerpts")
    day = models.DateField()
    occurred_at = models.DateTimeField()
    model = models.CharField(max_length=128)
    ciphertext = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    objects = ExcerptQuerySet.as_manager()

    class Meta:
        ordering = ("-occurred_at",)
        indexes: ClassVar = [models.Index(fields=["account", "day"], name="excerpt_by_day")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}"


class DataKey(models.Model):
    """The key of an account's excerpts, wrapped by the installation's own: see excerpts.py."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="data_key")
    encrypted_key = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.account_id)
