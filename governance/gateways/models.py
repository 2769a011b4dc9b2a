"""Gateways, what they know of the restrictions in force, and the proof that they act on it."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models

from accounts.models import Account
from governance.platform.expiry import Expiry
from governance.restrictions.gateway_times import start_from_gateway
from governance.restrictions.models import FeedEpoch, Restriction
from governance.restrictions.reasons import Reason
from governance.staff.models import ServiceKey
from stillwatch_gateway.entries import NAMED_BY

# As long as the page looks back.
PROOF_KEPT_FOR: Final = timedelta(days=30)


class Gateway(models.Model):
    """What serves the API and obeys. It is known by the service key that it asks with, from its first question on.

    The canary is a key of the seller's own at the gateway: it is blocked, and asked with until it is refused. With an
    admin key of LiteLLM, blocks are pushed to it as well. Both secrets are kept sealed.
    """

    name = models.CharField(max_length=120, unique=True)
    service_key = models.OneToOneField(
        ServiceKey, on_delete=models.PROTECT, null=True, blank=True, related_name="gateway"
    )
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When it last called the check.")

    canary_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="canary_of", help_text="Of the canary."
    )
    canary_url = models.CharField("canary address", max_length=300, blank=True)
    canary_headers = models.BinaryField(default=b"", blank=True, help_text="Encrypted.")
    canary_body = models.TextField(blank=True, help_text="JSON to post; without it the request is a GET.")
    probe_due_at = models.DateTimeField(null=True, blank=True)

    litellm_url = models.CharField("LiteLLM address", max_length=300, blank=True)
    litellm_key = models.BinaryField("LiteLLM admin key", default=b"", blank=True, help_text="Encrypted.")
    pushed_sequence = models.BigIntegerField(default=0, help_text="The last change pushed to LiteLLM.")
    compared_at = models.DateTimeField(null=True, blank=True, help_text="When LiteLLM's blocks were last compared.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class GatewayInstance(models.Model):
    """A process that holds the restrictions in memory: of a gateway's client, or of Stillwatch's own hot check.

    Without a gateway it answers for every gateway that asks the hot check.
    """

    gateway = models.ForeignKey(Gateway, on_delete=models.CASCADE, null=True, blank=True, related_name="instances")
    instance = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it said that it ends.")
    sequence = models.BigIntegerField()
    trouble = models.CharField(max_length=300, blank=True, db_default="", help_text="The problem it reported.")

    expiry: ClassVar = Expiry("seen_at", PROOF_KEPT_FOR)

    class Meta:
        ordering = ("gateway", "instance")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "instance"], nulls_distinct=False, name="an_instance_reports_to_one_gateway"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway or 'hot check'} {self.instance} at {self.sequence}"


class PropagationEntry(models.Model):
    """When an instance had every change up to `sequence`."""

    gateway_instance = models.ForeignKey(GatewayInstance, on_delete=models.CASCADE, related_name="propagations")
    sequence = models.BigIntegerField()
    at = models.DateTimeField()

    expiry: ClassVar = Expiry("at", PROOF_KEPT_FOR)

    class Meta:
        verbose_name = "propagation log entry"
        verbose_name_plural = "propagation log"
        ordering = ("gateway_instance", "sequence")
        indexes: ClassVar = [
            models.Index(fields=["gateway_instance", "sequence"], name="propagation_by_sequence"),
            models.Index(fields=["at"], name="propagation_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway_instance_id} has {self.sequence}"


class Refusal(models.Model):
    """Requests that a gateway refused because of a restriction."""

    gateway = models.ForeignKey(Gateway, on_delete=models.CASCADE, related_name="refusals")
    restriction = models.ForeignKey(Restriction, on_delete=models.CASCADE, related_name="refusals")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.BigIntegerField()

    class Meta:
        verbose_name = "refusal count"
        verbose_name_plural = "refusal counts"
        ordering = ("-last_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gateway", "restriction"], name="refusals_are_counted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} refused {self.restriction_id} {self.count} times"


class CanaryProbe(models.Model):
    """One look whether a gateway obeys: the canary was blocked, or let in again, and asked with until it showed.

    `change` is the number of the change that the gateway was to obey.
    """

    class Outcome(models.TextChoices):
        OBEYED = "obeyed", "Obeyed"
        IGNORED = "ignored", "Not followed in time"
        UNREACHABLE = "unreachable", "No usable response"

    gateway = models.ForeignKey(Gateway, on_delete=models.CASCADE, related_name="probes")
    change = models.BigIntegerField(null=True)
    lifting = models.BooleanField(default=False, help_text="Whether the block was removed, not made.")
    at = models.DateTimeField(help_text="When the change was committed.")
    took_ms = models.PositiveIntegerField(null=True, help_text="From the commit to the first answer that obeys.")
    outcome = models.CharField(max_length=12, choices=Outcome)
    detail = models.CharField(max_length=300, blank=True)

    expiry: ClassVar = Expiry("at", PROOF_KEPT_FOR)

    class Meta:
        ordering = ("-at",)
        indexes: ClassVar = [models.Index(fields=["gateway", "-at"], name="probe_by_gateway")]

    def __str__(self) -> str:
        return f"{self.gateway_id} {self.outcome} at {self.at:%F %T}"


class DriftRepair(models.Model):
    """Where LiteLLM's blocks were found to differ from the restrictions in force, and were set right."""

    gateway = models.ForeignKey(Gateway, on_delete=models.CASCADE, related_name="repairs")
    at = models.DateTimeField()
    name = models.CharField(max_length=200, help_text="Of the key, team or customer, with its kind before it.")
    blocked = models.BooleanField(help_text="The right state, in force since.")
    mended = models.BooleanField(help_text="Whether LiteLLM took it.")
    detail = models.CharField(max_length=300, blank=True)

    expiry: ClassVar = Expiry("at", timedelta(days=365))

    class Meta:
        verbose_name = "LiteLLM block repair"
        verbose_name_plural = "LiteLLM block repairs"
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.gateway_id}: {self.name}"


class LiteLlmPush(models.Model):
    """What Stillwatch blocked at LiteLLM, and because of whom; what an operator blocked there has no row, and stays.

    The row is written before LiteLLM is asked, and goes once LiteLLM is seen to have unblocked it.
    """

    class Kind(models.TextChoices):
        TEAM = "team", "Team"
        KEY = "key", "Key"

    gateway = models.ForeignKey(Gateway, on_delete=models.CASCADE, related_name="pushed")
    kind = models.CharField(max_length=4, choices=Kind)
    name = models.CharField(max_length=200, help_text="LiteLLM's own: the id of a team, the hash of a key.")
    because = models.CharField(max_length=140, help_text="Of whom, with the kind before it: account acct_1042.")
    blocked_at = models.DateTimeField()

    class Meta:
        verbose_name = "LiteLLM block"
        verbose_name_plural = "LiteLLM blocks"
        ordering = ("gateway", "kind", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gateway", "kind", "name", "because"], name="pushed_once_for_each"),
        ]
        indexes: ClassVar = [models.Index(fields=["gateway", "because"], name="pushed_by_whom")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} because of {self.because}"


class LostDecision(models.Model):
    """A restriction, or the end of one, that a process of the check or a gateway knew and the database does not.

    Processes of the check restrict again at once, and `restriction` is in force until a person has looked. What only
    gateways knew waits for a person: a gateway's service key must not restrict anybody.
    """

    class What(models.TextChoices):
        BEGAN = "began", "Restricted"
        ENDED = "ended", "Lifted"

    class Outcome(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        DROPPED = "dropped", "Not in force"

    epoch = models.ForeignKey(FeedEpoch, on_delete=models.CASCADE, related_name="lost")
    number = models.BigIntegerField(help_text="Of the restriction, as it was before.")
    what = models.CharField(max_length=10, choices=What)
    target = models.CharField(max_length=220, help_text="Target, with its kind before it.")
    payload = models.JSONField(help_text="The restriction as sent to gateways.")
    gateway = models.ForeignKey(
        Gateway, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="That reported it first."
    )
    restriction = models.ForeignKey(
        Restriction,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The restriction that replaces it now.",
    )
    problem = models.TextField(
        blank=True,
        db_default="",
        help_text="Why it is not in force for all targets; blank if it is.",
    )
    noted_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, help_text="What a person decided.")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=254, blank=True)

    expiry: ClassVar = Expiry("settled_at", timedelta(days=365))

    class Meta:
        verbose_name = "decision lost in a restore"
        verbose_name_plural = "decisions lost in a restore"
        ordering = ("-number", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["epoch", "number", "what", "target"], name="a_lost_decision_is_noted_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["number"], name="lost_decision_open", condition=models.Q(settled_at=None)),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.what}: {self.target}"

    @property
    def kind(self) -> str:
        return str(self.payload.get("kind", ""))

    @property
    def is_of_known_kind(self) -> bool:
        """Whether this release knows the kind; a gateway may report any word."""
        return self.kind in Restriction.Kind.values

    @property
    def reason(self) -> str:
        """In words where this release knows the code."""
        code = str(self.payload.get("reason", ""))
        return Reason(code).label if code in Reason.values else code

    @property
    def starts_at(self) -> datetime | None:
        """None where the gateway did not say, or said what is no time."""
        try:
            at = datetime.fromisoformat(str(self.payload.get("from", "")))
        except ValueError:
            return None
        return start_from_gateway(at, at=self.noted_at) if at.tzinfo else None

    @property
    def is_removal(self) -> bool:
        """Whether the end of a restriction was lost."""
        return self.what == self.What.ENDED

    @property
    def other_names(self) -> str:
        """How many names were published with it, such as "1 account, 3 keys"."""
        names = self.payload.get("names")
        counts = [(kind, len(names.get(kind) or ())) for kind in NAMED_BY[1:]] if isinstance(names, dict) else []
        return ", ".join(f"{count:,} {kind}{'s' if count > 1 else ''}" for kind, count in counts if count)
