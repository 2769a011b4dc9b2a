"""Whether an account has access, asked of PostgreSQL itself."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from unicodedata import normalize

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Account, ApiKey, Licence, Organisation
from governance.restrictions.models import Change, FeedEpoch, Restriction
from governance.restrictions.names import Target


class Access(NamedTuple):
    """Whether a customer may use the API.

    `restriction` is the strongest one in force, `known` whether there is such an account, and
    `sequence` the number of the newest change that this answer takes into account.
    """

    allowed: bool
    known: bool
    restriction: Restriction | None
    sequence: int


def access(*, account: str | None = None, api_key: str | None = None, now: datetime) -> Access:
    """Whether this account, or this key of an account, may use the API now."""
    return access_by_possible_names(
        accounts=[account] if account is not None else [], api_keys=[api_key] if api_key is not None else [], now=now
    )


def access_by_possible_names(
    *, accounts: Collection[str] = (), api_keys: Collection[str] = (), now: datetime
) -> Access:
    """Return whether the customer with these names may use the API now: one name, in every reading.

    Somebody unknown is allowed: usage is what makes an account known, and a gateway must not refuse new customers.
    """
    sequence = last_number()
    keys = list(ApiKey.objects.select_related("account").filter(external_id__in=_all_spellings(api_keys)))
    owners = [key.account for key in keys if key.contested_at is None]
    found = [*owners, *Account.objects.filter(external_id__in=_all_spellings(accounts))]
    if not found and not keys:
        return Access(allowed=True, known=False, restriction=None, sequence=sequence)
    organisations = [one.organisation_id for one in found if one.organisation_id is not None]
    target = Q(account__in=found) | Q(key__in=keys) | Q(organisation__in=organisations)
    strongest = Restriction.objects.in_force(at=now).filter(target).strongest_first().first()
    denied = strongest is not None and strongest.denies
    return Access(allowed=not denied, known=True, restriction=strongest, sequence=sequence)


def _all_spellings(names: Collection[str]) -> set[str]:
    """Rows may be older than the one spelling of ids: in Unicode's decomposed form."""
    return {*names, *(normalize("NFD", name) for name in names)}


def find_denied_account_pks(account_pks: Collection[int], *, now: datetime) -> set[int]:
    """Those of these accounts that have no access, because of a restriction of their own or of their organisation."""
    denying = Restriction.objects.in_force(at=now).denying().order_by()
    own = denying.filter(account__in=account_pks).values_list("account")
    of_organisation = denying.filter(organisation__accounts__in=account_pks).values_list("organisation__accounts")
    return {account for (account,) in own.union(of_organisation)} & set(account_pks)


def find_strongest_kinds(accounts: Sequence[Account], *, now: datetime) -> dict[int, str]:
    """The strongest kind in force on each of these accounts, its keys or its organisation; the free are left out."""
    members: dict[int, list[int]] = defaultdict(list)
    for account in accounts:
        if account.organisation_id is not None:
            members[account.organisation_id].append(account.pk)
    pks = [account.pk for account in accounts]
    affected_accounts = Q(account__in=pks) | Q(key__account__in=pks) | Q(organisation__in=members)
    strongest: dict[int, str] = {}
    restrictions = Restriction.objects.in_force(at=now).filter(affected_accounts).strongest_first()
    targets = restrictions.values_list("kind", "account_id", "key__account_id", "organisation_id")
    for kind, own, keys, organisation in targets:
        for pk in members[organisation] if organisation else [own or keys]:
            strongest.setdefault(pk, kind)
    return strongest


class AffectedAccount(NamedTuple):
    """An account that a restriction would affect: its keys, its licence, and what is in force against it already."""

    account: Account
    keys: int
    training_permitted: bool
    in_force: list[str]


def affected_accounts(targets: Sequence[Target], *, now: datetime) -> list[AffectedAccount]:
    """Return the accounts that restrictions on these targets would affect. One query."""
    named = Q(pk__in=[target.pk for target in targets if isinstance(target, Account)])
    named |= Q(keys__in=[target.pk for target in targets if isinstance(target, ApiKey)])
    named |= Q(organisation__in=[target.pk for target in targets if isinstance(target, Organisation)])
    keys = ApiKey.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(number=Count("pk"))
    licences = Licence.objects.in_force(at=now).filter(account=OuterRef("pk"), training_permitted=True)
    live = Restriction.objects.in_force(at=now).filter(account=OuterRef("pk")).order_by("number")
    accounts = Account.objects.filter(pk__in=Account.objects.filter(named).values("pk")).select_related("organisation")
    found = accounts.annotate(
        number_of_keys=Coalesce(Subquery(keys.values("number")), 0),
        is_licensed=Exists(licences),
        kinds_in_force=ArraySubquery(live.values("kind")),
    )
    return [
        AffectedAccount(one, one.number_of_keys, one.is_licensed, one.kinds_in_force)  # type: ignore[attr-defined] # annotated
        for one in found.order_by("external_id")
    ]


def last_number() -> int:
    """The version of the world: the number of the newest change, or after which the newest epoch begins."""
    change = Change.objects.aggregate(last=Max("number"))["last"] or 0
    return max(change, FeedEpoch.objects.aggregate(last=Max("starts_after"))["last"] or 0)


def last_number_among(changes: int, *, after: int) -> int:
    """The number of the last of so many changes after `after`, or `last_number()` where there are fewer.

    To go through them in batches: numbers are no measure of that, since each epoch leaves out millions.
    """
    newest = last_number()
    later = Change.objects.filter(number__gt=after).order_by("number").values_list("number", flat=True)
    return next(iter(later[changes - 1 : changes]), newest)


def find_newest_numbers(numbers: Collection[int]) -> dict[int, int]:
    """Return for each of these restrictions the number under which it was restored last, or else its own: the newest
    of the same origin, kind and target.
    """
    columns = ("origin", "kind", "account", "key", "organisation")
    given = {number: tuple(of) for number, *of in _in_order_of_number(Q(number__in=numbers), columns)}
    accounts, keys, organisations = ({of[place] for of in given.values()} - {None} for place in (2, 3, 4))
    same = Q(account__in=accounts) | Q(key__in=keys) | Q(organisation__in=organisations)
    of_origins = Q(origin__in={of[0] for of in given.values()})
    newest = {tuple(of): number for number, *of in _in_order_of_number(same & of_origins, columns)}
    return {number: newest[of] for number, of in given.items()}


def _in_order_of_number(condition: Q, columns: Sequence[str]) -> QuerySet[Restriction, tuple[Any, ...]]:
    return Restriction.objects.filter(condition).order_by("number").values_list("number", *columns)
