"""Compute who must be blocked at a gateway, always from all restrictions in force, never from a single change.

A name here is that of an account or of a key of ours, with the kind before it, such as `account acct_1042`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Account, ApiKey
from governance.gateways.models import Gateway, LiteLlmPush
from governance.restrictions.models import Change, Restriction, RestrictionQuerySet

# Of restrictions that ended, every name that gateways were ever sent: some may have left before the end. Of
# restrictions that go on, the names that came and went; changes that older versions published list all names instead.
NAMES_IN_CHANGES: Final = """
    WITH moved AS (
        SELECT restriction_id, what, payload - CASE WHEN payload ? 'names_added' THEN 'names' ELSE '' END AS payload
        FROM restrictions_change
        WHERE number > %(after)s AND number <= %(until)s
    ), published AS (
        SELECT payload FROM moved WHERE what = 'covers'
        UNION ALL
        SELECT change.payload FROM restrictions_change change JOIN moved USING (restriction_id)
        WHERE moved.what = 'ended' AND change.payload IS NOT NULL
    )
    SELECT DISTINCT names.key, name
    FROM published
    CROSS JOIN unnest(ARRAY['names', 'names_added', 'names_removed']) part
    CROSS JOIN jsonb_each(published.payload->part) names
    CROSS JOIN jsonb_array_elements_text(names.value) name
"""


def list_changed_names(gateway: Gateway, *, after: int, until: int, since: datetime | None, now: datetime) -> set[str]:
    """Whom the changes after `after`, up to `until`, are about, and those whose time came, or was over, by itself
    after `since`.
    """
    # Of an organisation that goes on being restricted only the names that changed: it may have thousands of others.
    whole = Q(changes__what__in=[Change.What.BEGAN, Change.What.ENDED]) | Q(organisation=None)
    names = _names(Restriction.objects.filter(whole, changes__number__gt=after, changes__number__lte=until))
    names |= _affected_names(gateway, after=after, until=until)
    if since is not None:
        came = Q(starts_at__gt=since, starts_at__lte=now) | Q(effective_until__gt=since, effective_until__lte=now)
        names |= _names(Restriction.objects.filter(came, ended_at=None))
    return names


def _affected_names(gateway: Gateway, *, after: int, until: int) -> set[str]:
    """Whom the names of these changes stand for: themselves, the account of a key, and who was blocked by a key."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES_IN_CHANGES, {"after": after, "until": until})
        names = cursor.fetchall()
    by_kind = {kind: [name for of, name in names if of == kind] for kind in ("account", "key", "digest")}
    keys = Q(external_id__in=by_kind["key"]) | Q(digest__in=[bytes.fromhex(digest) for digest in by_kind["digest"]])
    owners = ApiKey.objects.filter(keys).order_by().values_list("account__external_id", flat=True)
    pushed = LiteLlmPush.objects.filter(
        gateway=gateway, kind=LiteLlmPush.Kind.KEY, name__in=by_kind["key"] + by_kind["digest"]
    )
    return (
        {f"account {name}" for name in [*by_kind["account"], *owners]}
        | {f"key {name}" for name in by_kind["key"]}
        | set(pushed.values_list("because", flat=True))
    )


def list_denied_names(*, now: datetime) -> set[str]:
    """Everybody who ought to be blocked."""
    return _names(Restriction.objects.in_force(at=now))


def filter_denied_names(names: Collection[str], *, now: datetime) -> set[str]:
    """Those of these who ought to be blocked."""
    in_force = Restriction.objects.in_force(at=now)
    accounts = Account.objects.filter(external_id__in=_of_kind("account", names))
    keys = ApiKey.objects.filter(external_id__in=_of_kind("key", names))
    return _names(in_force, accounts=accounts, keys=keys)


def _names(
    restrictions: RestrictionQuerySet,
    *,
    accounts: QuerySet[Account] | None = None,
    keys: QuerySet[ApiKey] | None = None,
) -> set[str]:
    """Whom these would block. One query for each way to be hit: one for all of them would read every account."""
    denying = restrictions.denying().order_by()
    of_accounts = Account.objects.all() if accounts is None else accounts
    of_keys = ApiKey.objects.all() if keys is None else keys
    hit: dict[str, list[QuerySet[Account]] | list[QuerySet[ApiKey]]] = {
        "account": [
            of_accounts.filter(pk__in=denying.values("account")),
            of_accounts.filter(organisation__in=denying.values("organisation")),
        ],
        "key": [of_keys.filter(pk__in=denying.values("key"))],
    }
    return {
        f"{kind} {name}"
        for kind, several in hit.items()
        for found in several
        for name in found.order_by().values_list("external_id", flat=True)
    }


def _of_kind(kind: str, names: Iterable[str]) -> list[str]:
    return [name for of, _, name in (written.partition(" ") for written in names) if of == kind]
