"""The customers. The seller's own ids are `external_id`; ours never leave the database."""

from datetime import datetime
from typing import ClassVar, Final, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Collate, Length, Lower
from django.db.models.lookups import Exact

from governance.web.visible import escape_invisible

DIGEST_BYTES: Final = 32


def folded(name: str) -> Collate:
    """The text of a column in lower case, in an order by which an index finds what begins with some text."""
    return Collate(Lower(name), "C")


def words_of(name: str) -> SearchVector:
    """The words of a column, in lower case: letters and digits that stand together."""
    letters = Func(F(name), Value("[^[:alnum:]]+"), Value(" "), Value("g"), function="regexp_replace")
    return SearchVector(letters, config="simple")


class Organisation(models.Model):
    """The customer company."""

    external_id = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=200, blank=True)
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="When its name was erased: the register does not bring it back."
    )

    class Meta:
        ordering = ("external_id",)
        indexes: ClassVar = [
            models.Index(folded("external_id"), "id", name="organisation_by_folded_id"),
            GinIndex(words_of("name"), name="organisation_by_word"),
        ]

    def __str__(self) -> str:
        return escape_invisible(self.name or self.external_id)


class AccountQuerySet(models.QuerySet["Account"]):
    def known_as(self, external_ids: list[str]) -> Self:
        return self.filter(external_id__in=external_ids)

    def training_permitted(self, *, at: datetime) -> Self:
        """Licensed distillers: accounts whose licence permits training on the answers at this time."""
        return self.filter(licences__in=Licence.objects.in_force(at=at).filter(training_permitted=True)).distinct()


class Account(models.Model):
    """One API account. `closed` is the seller's word; what Stillwatch restricts is in `enforcement`."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed by the seller"

    external_id = models.CharField(max_length=128, unique=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    has_no_organisation = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The register says that it has no organisation, so usage does not set one.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(null=True, blank=True, help_text="When the customer opened it, if known.")
    first_seen_at = models.DateTimeField(help_text="When Stillwatch first knew of it.")
    plan = models.CharField(max_length=64, blank=True)
    declared_use = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    signup_ip = models.GenericIPAddressField("sign-up IP", null=True, blank=True)
    email_domain = models.CharField("e-mail domain", max_length=253, blank=True)
    payment_fingerprint = models.CharField(max_length=128, blank=True)
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the register was seen to say that the seller closed it."
    )
    erased_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When what it held of a person was erased: the register does not bring it back.",
    )
    erased_on_request = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Somebody asked for the erasure. Otherwise it was closed for long, and is as new once it opens.",
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ("external_id",)
        indexes: ClassVar = [
            # Accounts on one card are looked up at every scoring.
            models.Index(fields=["payment_fingerprint"], name="account_by_card", condition=~Q(payment_fingerprint="")),
            # What people search for, and by what they filter and sort the list of accounts.
            models.Index(folded("external_id"), "id", name="account_by_folded_id"),
            models.Index(
                folded("payment_fingerprint"),
                "id",
                name="account_by_folded_card",
                condition=~Q(payment_fingerprint=""),
            ),
            models.Index(fields=["email_domain", "id"], name="account_by_domain", condition=~Q(email_domain="")),
            models.Index(fields=["signup_ip", "id"], name="account_by_address", condition=Q(signup_ip__isnull=False)),
            models.Index(folded("plan"), "id", name="account_by_plan", condition=~Q(plan="")),
            models.Index(fields=["country", "id"], name="account_by_country", condition=~Q(country="")),
            models.Index(fields=["-first_seen_at", "-id"], name="account_by_first_seen"),
            # Few are closed and not erased yet: these are looked through for what is kept no longer.
            models.Index(
                fields=["closed_at", "id"],
                name="account_closed",
                condition=Q(status="closed", erased_at=None),
            ),
        ]

    def __str__(self) -> str:
        return escape_invisible(self.external_id)


class ApiKey(models.Model):
    """A key of an account: the seller's id of it and, for gateways that know keys only so, its digest.

    Usage alone is a claim. Where usage claims a key for a second account it is contested, and no restriction on either
    account covers it until the register, or a sender that may tie keys, says whose it is.
    """

    class TiedBy(models.TextChoices):
        USAGE = "usage", "Usage"
        SENDER = "sender", "A sender that may tie keys"
        REGISTER = "register", "The register"

    external_id = models.CharField(max_length=128, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="keys")
    digest = models.BinaryField(
        max_length=DIGEST_BYTES,
        null=True,
        blank=True,
        help_text="The SHA-256 of the key, as gateways digest it. The secret is never stored.",
    )
    first_seen_at = models.DateTimeField()
    tied_by = models.CharField(
        max_length=8,
        choices=TiedBy,
        default=TiedBy.USAGE,
        db_default=TiedBy.USAGE,
        help_text="Who assigned the key.",
    )
    contested_by = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contested_keys",
        help_text="Another account that usage names for it.",
    )
    contested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ("external_id",)
        indexes: ClassVar = [models.Index(folded("external_id"), "id", name="key_by_folded_id")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest"], name="one_key_a_digest", condition=Q(digest__isnull=False)),
            models.CheckConstraint(
                condition=Q(digest=None) | Q(Exact(Length("digest"), DIGEST_BYTES)), name="digest_is_a_sha256"
            ),
            models.CheckConstraint(
                condition=Q(contested_at=None, contested_by=None)
                | Q(contested_at__isnull=False, contested_by__isnull=False, tied_by="usage"),
                name="only_claims_of_usage_are_contested",
            ),
        ]

    def __str__(self) -> str:
        return escape_invisible(self.external_id)


class LicenceQuerySet(models.QuerySet["Licence"]):
    def in_force(self, *, at: datetime) -> Self:
        return self.filter(starts_at__lte=at).filter(Q(ends_at=None) | Q(ends_at__gt=at))


class Licence(models.Model):
    """What a customer may do beyond the terms, for the half-open period from `starts_at` to `ends_at`.

    It is the same licence while account, contract and start are the same; its end may be moved.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="licences")
    training_permitted = models.BooleanField(default=False, help_text="A licensed distiller is not a suspect.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=200, blank=True, help_text="Reference of the contract.")

    objects = LicenceQuerySet.as_manager()

    class Meta:
        ordering = ("-starts_at",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=models.F("starts_at")),
                name="licence_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["account", "reference", "starts_at"], name="one_licence_a_contract_and_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {'training permitted' if self.training_permitted else 'no training'}"


class TermsVersion(models.Model):
    """A published version of the terms of use."""

    name = models.CharField(max_length=40, unique=True, help_text="e.g. 2026-03")
    published_at = models.DateTimeField()
    address = models.CharField(max_length=300, blank=True, help_text="Address of the text.")

    class Meta:
        ordering = ("-published_at",)

    def __str__(self) -> str:
        return self.name


class TermsAcceptance(models.Model):
    """An account accepted a version of the terms."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="acceptances")
    terms = models.ForeignKey(TermsVersion, on_delete=models.PROTECT, related_name="acceptances")
    accepted_at = models.DateTimeField()

    class Meta:
        ordering = ("-accepted_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "terms"], name="accepted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} accepted {self.terms}"
