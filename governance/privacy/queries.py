"""What an erasure would take and leave, and which holds and erasures there are."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db.models import CharField, Count, Q, QuerySet, Value

from accounts.models import Account
from accounts.pseudonyms import ERASED
from governance.privacy.erasure import accounts_of, holds_against
from governance.privacy.holds import Target
from governance.privacy.models import Erasure, LegalHold
from governance.privacy.texts import typed_about

SHOWN: Final = 50
# Events of a large customer are not counted to the last one.
MOST_COUNTED: Final = 100_000
_REGISTER: Final = (
    ("e-mail domain", ~Q(email_domain="") & ~Q(email_domain__startswith=ERASED)),
    ("card", ~Q(payment_fingerprint="") & ~Q(payment_fingerprint__startswith=ERASED)),
    ("sign-up address", Q(signup_ip__isnull=False)),
    ("declared use", ~Q(declared_use="")),
)


class Counted(NamedTuple):
    """So many rows of something, or at least so many."""

    what: str
    number: int
    is_least: bool = False


class ErasurePreview(NamedTuple):
    """What an erasure takes and leaves; `holds` forbid it. `is_named` says that the id itself looks like an address."""

    target: Target
    accounts: int
    goes: Sequence[Counted]
    stays: Sequence[Counted]
    holds: Sequence[LegalHold]
    erased_before: bool
    is_named: bool


def preview_erasure(target: Target) -> ErasurePreview:
    """In four queries."""
    accounts = accounts_of(target)
    counts = {f"n{place}": Count("pk", filter=condition) for place, (_, condition) in enumerate(_REGISTER)}
    register = accounts.aggregate(all=Count("pk"), erased=Count("pk", filter=Q(erased_at__isnull=False)), **counts)
    goes = [Counted(what, register[f"n{place}"]) for place, (what, _) in enumerate(_REGISTER)]
    if target.organisation is not None:
        has_name = bool(target.organisation.name) and not target.organisation.name.startswith(ERASED)
        goes = [Counted("name of the organisation", int(has_name)), *goes]
    rows = _count([*_going(accounts), *_staying(accounts)])
    going = len(list(_going(accounts)))
    events = apps.get_model("usage", "UsageEvent")._default_manager.filter(account__in=accounts.values("pk"))
    named = events.filter(
        Q(ip__isnull=False) | Q(user_agent__isnull=False) | Q(end_user__isnull=False) | Q(conversation__isnull=False)
    )
    number = named.order_by()[: MOST_COUNTED + 1].count()
    usage = Counted("usage events with addresses or ids of users", min(number, MOST_COUNTED), number > MOST_COUNTED)
    return ErasurePreview(
        target,
        register["all"],
        [one for one in (*goes, *rows[:going], usage) if one.number],
        [one for one in rows[going:] if one.number],
        holds_against(target),
        erased_before=bool(register["all"]) and register["erased"] == register["all"],
        is_named="@" in target.name,
    )


def _going(accounts: "QuerySet[Account]") -> Iterator[tuple[str, "QuerySet[Any]"]]:
    pks = accounts.values("pk")
    yield (
        "excerpts of prompts, and their key",
        apps.get_model("usage", "Excerpt")._default_manager.filter(account__in=pks),
    )
    for typed in typed_about(pks):
        yield f"texts: {typed.rows.model._meta.verbose_name_plural}", typed.rows


def _staying(accounts: "QuerySet[Account]") -> Iterator[tuple[str, "QuerySet[Any]"]]:
    pks = accounts.values("pk")
    restrictions = apps.get_model("restrictions", "Restriction")._default_manager.filter(
        Q(account__in=pks) | Q(key__account__in=pks) | Q(organisation__accounts__in=pks), ended_at=None
    )
    yield "restrictions in force", restrictions.distinct()
    for what, model in (
        ("API keys", "accounts.ApiKey"),
        ("assessments", "detection.Assessment"),
        ("links to campaigns", "campaigns.CampaignMember"),
    ):
        yield what, apps.get_model(model)._default_manager.filter(account__in=pks)


def _count(named: Sequence[tuple[str, "QuerySet[Any]"]]) -> list[Counted]:
    """In one query."""
    counts = [
        rows.order_by()
        .annotate(place=Value(str(place), output_field=CharField()))
        .values("place")
        .annotate(number=Count("pk", distinct=True))
        .values_list("place", "number")
        for place, (_, rows) in enumerate(named)
    ]
    numbers = dict(counts[0].union(*counts[1:], all=True))
    return [Counted(what, numbers.get(str(place), 0)) for place, (what, _) in enumerate(named)]


def list_holds() -> list[LegalHold]:
    """Those in force, then the lifted ones, the newest first, with how many accounts each covers."""
    holds = LegalHold.objects.select_related("account", "organisation").annotate(covered=Count("accounts"))
    in_force = list(holds.in_force().order_by("-set_at", "pk"))
    return in_force + list(holds.filter(lifted_at__isnull=False).order_by("-lifted_at", "pk")[:SHOWN])


def list_erasures() -> list[Erasure]:
    """The newest first."""
    return list(Erasure.objects.select_related("account", "organisation").order_by("-erased_at", "pk")[:SHOWN])
