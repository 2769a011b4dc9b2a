"""The names that a restriction covers: by any of them a gateway may know whom it serves."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from accounts.models import Account, ApiKey, Organisation

Names = Mapping[str, Sequence[str]]
Target = Account | ApiKey | Organisation
KINDS: Final[Mapping[type[Target], str]] = {Account: "account", ApiKey: "key", Organisation: "organisation"}


def names_of(targets: Sequence[Target]) -> list[Names]:
    """Of each target, in their order: organisations, accounts, keys and the digests of keys (hexadecimal), by kind.

    A key covers itself, an account itself and its keys, an organisation itself, its accounts and their keys.
    """
    organisations = {target.pk for target in targets if isinstance(target, Organisation)}
    members: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, name, organisation in Account.objects.filter(organisation__in=organisations).values_list(
        "pk", "external_id", "organisation_id"
    ):
        members[organisation].append((pk, name))
    accounts = {target.pk for target in targets if isinstance(target, Account)}
    accounts.update(pk for several in members.values() for pk, _ in several)
    keys: dict[int, list[tuple[str, bytes | memoryview | None]]] = defaultdict(list)
    for account, name, digest in ApiKey.objects.filter(account__in=accounts).values_list(
        "account_id", "external_id", "digest"
    ):
        keys[account].append((name, digest))

    def of(target: Target) -> Names:
        if isinstance(target, ApiKey):
            return _names(keys=[(target.external_id, target.digest)])
        if isinstance(target, Account):
            return _names(accounts=[target.external_id], keys=keys[target.pk])
        return _names(
            organisations=[target.external_id],
            accounts=[name for _, name in members[target.pk]],
            keys=[key for pk, _ in members[target.pk] for key in keys[pk]],
        )

    return [of(target) for target in targets]


def _names(
    *,
    organisations: Sequence[str] = (),
    accounts: Sequence[str] = (),
    keys: Iterable[tuple[str, bytes | memoryview | None]] = (),
) -> Names:
    return {
        "organisation": sorted(organisations),
        "account": sorted(accounts),
        "key": sorted(name for name, _ in keys),
        "digest": sorted(bytes(digest).hex() for _, digest in keys if digest),
    }
