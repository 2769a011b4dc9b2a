"""People and machines that act. Second factors are rows beside `User`, kept by django-allauth."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models.functions import Lower

from governance.audit.actor import Actor
from governance.staff import roles
from governance.staff.roles import Role


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Sign-in ignores the case of an e-mail address."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """Somebody of trust and safety. What they may do follows from the role alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail", unique=True, help_text="In lower case: sign-in ignores the case.")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role)
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]
    objects = UserManager()

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="email_in_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        """Return what the admin shows above the e-mail address, which is the username."""
        return self.name

    @property
    def actor(self) -> Actor:
        return Actor("staff", str(self.id), self.name)

    @property
    def is_staff(self) -> bool:
        """Django's word for: may open the admin."""
        return roles.can_open_admin(self.role)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and roles.may(self.role, perm)

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff


class ServiceKeyQuerySet(models.QuerySet["ServiceKey"]):
    def usable(self, *, at: datetime) -> Self:
        return self.filter(revoked_at=None).filter(models.Q(expires_at=None) | models.Q(expires_at__gt=at))

    def shown(self, digests: Collection[bytes], *, at: datetime) -> Self:
        """Those of which one of the secrets is stored as one of these digests, and works."""
        previous = models.Q(previous_digest__in=digests, previous_until__gt=at)
        return self.usable(at=at).filter(models.Q(digest__in=digests) | previous)


class ServiceKey(models.Model):
    """What a machine shows to act. Of its secret only a digest is kept, keyed by a pepper of which `pepper` says which.

    Once the secret was replaced, the previous one works until `previous_until`, so that a machine can be changed over.
    """

    class Scope(models.TextChoices):
        USAGE_WRITE = "usage:write", "Send usage events"
        USAGE_KEYS = "usage:keys", "Assign API keys to accounts by usage events"
        ACCESS_READ = "access:read", "Check whether an account has access"
        RESTRICTIONS_READ = "restrictions:read", "Read restrictions"
        RESTRICTIONS_WRITE = "restrictions:write", "Restrict and lift"
        REGISTER_WRITE = "register:write", "Import the register of customers"
        ACCOUNTS_READ = "accounts:read", "Read accounts, organisations and API keys"
        ASSESSMENTS_READ = "assessments:read", "Read assessments"
        CAMPAIGNS_READ = "campaigns:read", "Read campaigns and their members"
        CASES_READ = "cases:read", "Read cases"
        DECISIONS_READ = "decisions:read", "Read decisions"
        POLICIES_READ = "policies:read", "Read policies"
        LOG_READ = "log:read", "Read the audit log"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    shown_prefix = models.CharField(max_length=12, help_text="The first characters of the secret, to tell keys apart.")
    digest = models.BinaryField(max_length=32, unique=True)
    pepper = models.CharField(max_length=8, blank=True, db_default="")
    previous_prefix = models.CharField(max_length=12, blank=True, db_default="")
    previous_digest = models.BinaryField(max_length=32, unique=True, null=True, blank=True)
    previous_pepper = models.CharField(max_length=8, blank=True, db_default="")
    previous_until = models.DateTimeField(null=True, blank=True, help_text="Until when the previous secret works.")
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope))
    networks = ArrayField(
        models.CharField(max_length=43), blank=True, db_default=[], default=list, help_text="From where alone it works."
    )
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Recorded once an hour.")

    objects = ServiceKeyQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> Actor:
        return Actor("service_key", str(self.id), self.name)

    def has_two_secrets(self, *, at: datetime) -> bool:
        """Return True while the previous secret works too."""
        return self.previous_until is not None and self.previous_until > at

    @property
    def is_authenticated(self) -> bool:
        """REST framework reads this of the user of a request."""
        return True


class SignInOrigin(models.Model):
    """A device or a network from which a user has signed in. Strangers' failures do not keep the user out of there."""

    class Kind(models.TextChoices):
        DEVICE = "device"
        NETWORK = "network"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="origins")
    kind = models.CharField(max_length=20, choices=Kind)
    value = models.CharField(max_length=64, help_text="A network, or the keyed digest of the secret in a cookie.")
    last_used_at = models.DateTimeField()

    class Meta:
        verbose_name = "sign-in origin"
        verbose_name_plural = "sign-in origins"
        ordering = ("-last_used_at", "pk")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind", "value"], name="one_row_an_origin")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.user}"


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    def open(self, *, at: datetime) -> Self:
        return self.filter(
            session__expire_date__gt=at,
            last_used_at__gt=at - timedelta(minutes=settings.SESSION_IDLE_MINUTES),
            started_at__gt=at - timedelta(hours=settings.SESSION_HOURS),
        )


class StaffSession(models.Model):
    """Since when somebody is signed in, and from where. Deleted with the session of Django that it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No constraint: the release before, which may run beside this one, deletes sessions without knowing this table.
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="of_staff", db_constraint=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    started_at = models.DateTimeField()
    last_used_at = models.DateTimeField(help_text="Recorded once a minute.")
    address = models.CharField(max_length=45, blank=True, help_text="From where the user signed in.")
    browser = models.CharField(max_length=60, help_text="What the browser calls itself.")

    objects = StaffSessionQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        ordering = ("-last_used_at", "pk")

    def __str__(self) -> str:
        return f"{self.browser} of {self.user}"

    def is_open(self, *, at: datetime) -> bool:
        """Return False once it was not used for long, or lasts for long."""
        idle, longest = timedelta(minutes=settings.SESSION_IDLE_MINUTES), timedelta(hours=settings.SESSION_HOURS)
        return at - self.last_used_at < idle and at - self.started_at < longest


class AttemptCount(models.Model):
    """How often something was tried in a period. The key is a keyed digest, or the network where one is counted."""

    class Kind(models.TextChoices):
        DEVICE = "device", "Sign-in from a known device"
        PERSON_AND_NETWORK = "person_network", "Sign-in of a person from a network"
        NETWORK = "network", "Sign-in from a network"
        PERSON = "person", "Sign-in of a person from unknown networks"
        PASSWORD = "password", "Change of a password"
        USED_CODE = "used_code", "Use of a code or a challenge"
        STRANGERS = "strangers", "Failures from unknown networks in an hour"
        PARTNER = "partner", "Requests of a partner"
        PARTNER_NETWORK = "partner_network", "Wrong tokens of partners from a network"
        API_READING = "api_reading", "Reading requests of a service key"
        API_ACTING = "api_acting", "Acting requests of a service key"

    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        ordering = ("-starts_at", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "key", "starts_at"], name="one_count_a_period"),
        ]
        indexes: ClassVar = [models.Index(fields=["starts_at"], name="attempt_count_by_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.count}"
