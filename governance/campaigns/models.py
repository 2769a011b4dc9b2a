"""What accounts have in common, the links between them, and the campaigns found by these."""

import uuid
from collections.abc import Collection
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.campaigns.traits import TraitKind


class AccountTrait(models.Model):
    """An account has something that others may have too: a wrapper, an address, a card. So they find each other."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="traits")
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name.capitalize()) for kind in TraitKind])
    digest = models.BigIntegerField()
    organisation = models.BigIntegerField(null=True, help_text="Of the account, to count sharing across organisations.")
    uses = models.IntegerField(help_text="Requests with this signal.")
    share = models.FloatField(help_text="Share of the requests that could have it.")

    class Meta:
        verbose_name = "shared signal"
        verbose_name_plural = "shared signals"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "digest", "account"], name="one_row_a_trait_and_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.get_kind_display()} {self.digest:x}"


class AccountSample(models.Model):
    """What of an account's prompts is laid beside those of others: a sample of sketches, and how broad they are."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    sketches = ArrayField(models.BigIntegerField(), help_text="Those with the smallest hashes, smallest first.")
    requests = models.BigIntegerField(help_text="Requests of the account when the sample was taken.")
    breadth = models.FloatField(null=True)
    model = models.CharField(max_length=128, help_text="The model that the account uses most.")
    ratio = models.FloatField(
        null=True, help_text="Median ratio of output to input tokens with that model, if counted."
    )
    alone = models.BooleanField(help_text="Whether most of its requests stand alone.")
    taken_at = models.DateTimeField()

    class Meta:
        verbose_name = "prompt sample"
        verbose_name_plural = "prompt samples"

    def __str__(self) -> str:
        return f"{len(self.sketches)} prompts of {self.account_id}"


class SharedPrompt(models.Model):
    """How many accounts have a prompt in their samples: what many unrelated ones send is public."""

    sketch = models.BigIntegerField(primary_key=True)
    accounts = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.sketch:x} of {self.accounts}"


class LinkQuerySet(models.QuerySet["Link"]):
    def touching(self, accounts: Collection[int]) -> Self:
        return self.filter(Q(one__in=accounts) | Q(other__in=accounts))


class Link(models.Model):
    """Why two accounts belong together: how strong each kind of tie is, from 0 to 1. `one` is the lower key."""

    one = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    wrappers = models.FloatField()
    shards = models.FloatField()
    addresses = models.FloatField()
    card = models.FloatField()
    settings = models.FloatField()

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["one", "other"], name="one_link_a_pair"),
            models.CheckConstraint(condition=Q(one__lt=models.F("other")), name="the_lower_account_comes_first"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id}–{self.other_id}"


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def open(self) -> Self:
        return self.filter(state=Campaign.State.OPEN)

    def alive(self) -> Self:
        return self.exclude(state=Campaign.State.CLOSED)


class Campaign(models.Model):
    """Accounts acting as one. It stays the same campaign while members come and go.

    `findings` are those of its members' usage added up, in the form of an assessment's.
    """

    class State(models.TextChoices):
        """A group that shows no harvest is watched: what ties its members is natural, as far as can be seen."""

        WATCHED = "watched", "Watched"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.WATCHED)
    first_seen_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="When it was first seen as a campaign.")
    closed_at = models.DateTimeField(null=True)
    assessed_at = models.DateTimeField(null=True)
    size = models.IntegerField(help_text="Current members.")
    events = models.BigIntegerField(default=0, help_text="Of all members, when it was last assessed.")
    score = models.SmallIntegerField(default=0)
    findings = models.JSONField(default=list)
    model_version = models.CharField(max_length=40, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ("-score", "-size")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(score__range=(0, 100)), name="campaign_scores_from_0_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.size} accounts ({self.score})"


class CampaignMemberQuerySet(models.QuerySet["CampaignMember"]):
    def current(self) -> Self:
        """Those who belong now: not who left, nor who is left out."""
        return self.filter(left_at=None, left_out_because="")

    def left_out(self) -> Self:
        return self.filter(left_at=None).exclude(left_out_because="")


class CampaignMember(models.Model):
    """An account belongs, or belonged, to a campaign; or was near it and is left out, which says why."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    tied_to = models.IntegerField(help_text="Members it is linked to.")
    strength = models.FloatField()
    ties = models.JSONField(help_text="Strength of each kind of link.")
    left_out_because = models.CharField(max_length=200, blank=True)

    objects = CampaignMemberQuerySet.as_manager()

    class Meta:
        ordering = ("-strength", "account")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(left_at=None, left_out_because=""),
                name="in_one_campaign_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.campaign_id}"
