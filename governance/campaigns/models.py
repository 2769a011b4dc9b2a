"""What accounts have in common, and the campaigns found by it."""

import uuid
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.campaigns.hand_made_rules import Belonging
from governance.campaigns.traits import TraitKind
from governance.usage.profiles.answer_samples import Sampled


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
    slots = ArrayField(
        models.IntegerField(),
        help_text="Ten-minute slots with a request, counted from 1970; empty where they are many.",
    )
    is_product = models.BooleanField(help_text="Whether most requests carry tools or a schema for the answer.")
    is_evaluation = models.BooleanField(help_text="Whether its requests look like those of an evaluation.")
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


class AnswerSample(models.Model):
    """A run of four words of an answer to an account, or a signed reasoning block it had: others may meet it again."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name.capitalize()) for kind in Sampled])
    digest = models.BigIntegerField()

    class Meta:
        verbose_name = "answer sample"
        verbose_name_plural = "answer samples"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "kind", "account"], name="one_row_a_sampled_answer"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.get_kind_display()} {self.digest:x}"


class CampaignSearch(models.Model):
    """When campaigns were last searched for, and how many accounts have changed since. One row."""

    searched_at = models.DateTimeField(null=True)
    changed_accounts = models.IntegerField(default=0)

    class Meta:
        verbose_name_plural = "campaign searches"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=1), name="one_campaign_search")]

    def __str__(self) -> str:
        return f"{self.changed_accounts} accounts changed since {self.searched_at}"


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def open(self) -> Self:
        return self.filter(state=Campaign.State.OPEN)

    def alive(self) -> Self:
        return self.exclude(state=Campaign.State.CLOSED)


class Campaign(models.Model):
    """Accounts acting as one. It stays the same campaign while members come and go.

    `findings` say what ties its members and what they do together, in the form of an assessment's; their points add up
    to `score`, which is what it counts against an account that surely belongs.
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
    watched_because = models.CharField(max_length=200, blank=True, help_text="Why a watched group is no campaign.")
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
    tied_to = models.IntegerField(help_text="Members it has wrappers, an address or a card in common with.")
    strength = models.FloatField()
    ties = models.JSONField(help_text="What it has in common with members, as shares from 0 to 1.")
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


class CampaignRule(models.Model):
    """Somebody has said which accounts belong together, or apart. The search respects it from then on."""

    belonging = models.CharField(max_length=10, choices=[(one.value, one.value.capitalize()) for one in Belonging])
    reason = models.CharField(max_length=500)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = "grouping by hand"
        verbose_name_plural = "groupings by hand"
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.belonging} ({self.made_at:%Y-%m-%d})"


class CampaignRuleAccount(models.Model):
    """An account that a rule speaks of: one of those that belong together, or on one side of two that belong apart."""

    rule = models.ForeignKey(CampaignRule, on_delete=models.CASCADE, related_name="accounts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    is_other = models.BooleanField(default=False, help_text="On the other side, of those that belong apart.")

    class Meta:
        verbose_name = "account grouped by hand"
        verbose_name_plural = "accounts grouped by hand"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "account"], name="once_in_a_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in rule {self.rule_id}"
