"""Partners, what they were sent, and the indicators they named."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from governance.campaigns.models import Campaign
from governance.detection.indicator_kinds import INDICATOR_KIND_CHOICES, IndicatorKind
from governance.platform.expiry import Expiry

# An indicator that names no end is over after this long, and none lasts longer than a year.
USUAL_DAYS: Final = 90
LONGEST_DAYS: Final = 365
LONGEST_REASON: Final = 500


class Tlp(models.TextChoices):
    """Traffic Light Protocol: how far the receiver may pass something on, the widest first."""

    CLEAR = "clear", "TLP:CLEAR, anybody"
    GREEN = "green", "TLP:GREEN, its community"
    AMBER = "amber", "TLP:AMBER, its own organisation and clients"
    RED = "red", "TLP:RED, the people who receive it"

    @property
    def rank(self) -> int:
        return list(Tlp).index(self)


class PartnerQuerySet(models.QuerySet["Partner"]):
    def usable(self, *, at: datetime) -> Self:
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))


class Partner(models.Model):
    """A provider or an authority with which indicators are exchanged, in one direction or both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    receives = models.BooleanField(help_text="It may read the collection that is released to it.")
    sends = models.BooleanField(help_text="Its indicators count here.")
    tlp = models.CharField("strictest marking", max_length=5, choices=Tlp, help_text="It gets nothing stricter.")
    shown_prefix = models.CharField(max_length=12, help_text="The first characters of its token.")
    token_digest = models.BinaryField(max_length=32, unique=True)
    shared_keys = models.BinaryField(help_text="Encrypted: the newest first.")
    collection_url = models.CharField(max_length=500, blank=True, help_text="Its TAXII collection, read every hour.")
    collection_token = models.BinaryField(default=b"", help_text="Encrypted: what Stillwatch shows there.")
    added_after = models.CharField(max_length=40, blank=True, help_text="Up to where that collection was read.")
    read_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True, help_text="Why it could not be read.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Recorded once an hour.")

    objects = PartnerQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def is_usable(self, *, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)

    @property
    def collection_id(self) -> uuid.UUID:
        """The TAXII collection of what is released to it."""
        return uuid.uuid5(self.pk, "collection")


class Share(models.Model):
    """What of a campaign goes to a partner: proposed by one person, released by another.

    `stix` are the STIX objects as they were looked at; what is released are these and no others.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        RELEASED = "released", "Released"
        DECLINED = "declined", "Declined"
        RETRACTED = "retracted", "Retracted"

    LIVE: ClassVar[Sequence[State]] = (State.PROPOSED, State.RELEASED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="shares")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="shares")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    tlp = models.CharField("marking", max_length=5, choices=Tlp)
    reason = models.CharField(max_length=LONGEST_REASON)
    accounts = models.IntegerField(help_text="Of how many accounts something leaves.")
    account_pks = ArrayField(
        models.BigIntegerField(), default=list, db_default=[], help_text="Of which, by primary key."
    )
    let_in = models.IntegerField(
        default=0, db_default=0, help_text="How many of them were let in again since it was released."
    )
    stix = models.JSONField(help_text="The STIX objects, as they were looked at.")
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="When it was released or declined.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    retracted_at = models.DateTimeField(null=True, blank=True)
    retracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    retracted_because = models.CharField(max_length=LONGEST_REASON, blank=True)

    # Longer than any of its objects is read.
    expiry: ClassVar = Expiry("proposed_at", timedelta(days=1_095))

    class Meta:
        ordering = ("-proposed_at", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "partner"],
                condition=Q(state__in=["proposed", "released"]),
                name="one_live_share_of_a_campaign_and_partner",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["released", "retracted"]) | ~Q(decided_by=F("proposed_by")),
                name="released_by_another_person",
            ),
        ]

    def __str__(self) -> str:
        return f"campaign {self.campaign_id} to {self.partner}"


class SharedObject(models.Model):
    """A STIX object in the collection of a partner, in its newest version."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="shared_objects")
    share = models.ForeignKey(Share, on_delete=models.CASCADE, null=True, related_name="shared_objects")
    stix_id = models.CharField(max_length=100)
    stix_type = models.CharField(max_length=40)
    version = models.CharField(max_length=40, help_text="When it was last modified, as STIX writes it.")
    content = models.JSONField()
    added_at = models.DateTimeField(help_text="Later than of all that were added before.")

    expiry: ClassVar = Expiry("added_at", timedelta(days=LONGEST_DAYS))

    class Meta:
        verbose_name = "shared object"
        ordering = ("added_at", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "stix_id"], name="one_version_of_a_shared_object"),
        ]
        indexes: ClassVar = [models.Index(fields=["partner", "added_at", "id"], name="shared_object_by_added")]

    def __str__(self) -> str:
        return self.stix_id


class IndicatorQuerySet(models.QuerySet["Indicator"]):
    def in_force(self, *, at: datetime) -> Self:
        """Those of partners whose word counts, neither retracted nor over."""
        partners = Partner.objects.usable(at=at).filter(sends=True)
        return self.filter(partner__in=partners, revoked_at=None, valid_from__lte=at, valid_until__gt=at)


class Indicator(models.Model):
    """Something by which a partner names harvesters. It is compared with what is known of accounts here."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="indicators")
    stix_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=INDICATOR_KIND_CHOICES)
    value = models.CharField(max_length=100, help_text="A keyed digest, an address, a network or a fingerprint.")
    local_digest = models.BigIntegerField(
        null=True, blank=True, help_text="By which an address or a wording is found among shared signals."
    )
    modified_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()

    objects = IndicatorQuerySet.as_manager()
    expiry: ClassVar = Expiry("valid_until", timedelta(days=30))

    class Meta:
        ordering = ("-received_at", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "stix_id"], name="one_version_of_an_indicator"),
        ]
        indexes: ClassVar = [models.Index(fields=["kind", "value"], name="indicator_by_value")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} named by {self.partner}"

    @property
    def indicator_kind(self) -> IndicatorKind:
        return IndicatorKind(self.kind)
