"""The feed's epochs: which numbers belong to one unbroken history, and what was lost where the database went back."""

from typing import ClassVar

from django.db import models

from accounts.models import Account, ApiKey, Organisation
from governance.enforcement.models.gateway import Gateway
from governance.enforcement.models.restriction import Restriction
from stillwatch_gateway.entries import NAMED_BY


class FeedEpoch(models.Model):
    """An unbroken history of changes. A new one begins where the database may have lost some: at a restore.

    Its changes have numbers above `starts_after`, which is above every number that was given before, also to what
    was lost. So no two epochs share a number. The newest is the one with the highest `starts_after`.
    """

    identifier = models.CharField(max_length=32, primary_key=True, help_text="Random, in hexadecimal.")
    starts_after = models.BigIntegerField(unique=True)
    continues = models.BigIntegerField(help_text="The last change that it shares with the epoch before.")
    began_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    author = models.CharField(max_length=254)

    class Meta:
        ordering = ("-starts_after",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(continues__lte=models.F("starts_after")), name="an_epoch_starts_after_the_one_before"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.identifier} after {self.starts_after}"


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
    target = models.CharField(max_length=220, help_text="Whom it is against, with the kind before it.")
    told = models.JSONField(help_text="The restriction as gateways were told of it.")
    gateway = models.ForeignKey(
        Gateway, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="That reported it first."
    )
    restriction = models.ForeignKey(
        Restriction,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="In force for it now.",
    )
    problem = models.TextField(
        blank=True,
        db_default="",
        help_text="Why it is not in force, or not for all whom gateways were told; blank where it is.",
    )
    noted_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, help_text="What a person decided.")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=254, blank=True)

    class Meta:
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
        return str(self.told.get("kind", ""))

    @property
    def is_of_known_kind(self) -> bool:
        """Whether this release knows the kind; a gateway may report any word."""
        return self.kind in Restriction.Kind.values

    @property
    def reason(self) -> str:
        return str(self.told.get("reason", ""))

    @property
    def other_names(self) -> str:
        """How many names gateways were told with it, such as "1 account, 3 keys"."""
        names = self.told.get("names")
        counts = [(kind, len(names.get(kind) or ())) for kind in NAMED_BY[1:]] if isinstance(names, dict) else []
        return ", ".join(f"{count:,} {kind}{'s' if count > 1 else ''}" for kind, count in counts if count)


class LostName(models.Model):
    """A key, or the digest of one, that gateways were told a customer has, and that the register lost at a restore.

    Restrictions on the customer cover it until the register, or a sender that may tie keys, says whose it is. It is no
    key of the register, since whose it was is known of a restricted account, but not within an organisation.
    """

    class Kind(models.TextChoices):
        KEY = "key", "Key"
        DIGEST = "digest", "Digest"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="lost_names")
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, null=True, blank=True, related_name="lost_names")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="lost_names"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=128)
    restored_at = models.DateTimeField()

    class Meta:
        ordering = ("kind", "name", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "key", "organisation", "kind", "name"],
                nulls_distinct=False,
                name="a_lost_name_is_restored_once",
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=False, key__isnull=True, organisation__isnull=True)
                | models.Q(account__isnull=True, key__isnull=False, organisation__isnull=True)
                | models.Q(account__isnull=True, key__isnull=True, organisation__isnull=False),
                name="a_lost_name_has_one_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
