"""A gateway that follows the feed change by change."""

import json

from accounts.models import Account, ApiKey
from governance.gateways.check import sql
from governance.restrictions.models import Change
from stillwatch_gateway.entry_reader import read_entry
from stillwatch_gateway.restriction_set import RestrictionSet
from tests.factories import NOW


class Follower:
    """Holds what a gateway holds that begins to follow now; says who is refused."""

    def __init__(self) -> None:
        with sql.connect() as database, sql.open_snapshot(database) as known:
            read = [read_entry(json.loads(payload)) for payload in known.payloads]
            self.restricted = RestrictionSet([one for one, _ in read if one is not None], known.sequence)

    @property
    def refused(self) -> set[str]:
        """The accounts and keys of the register that are refused."""
        names = {f"account:{one.external_id}" for one in Account.objects.all()}
        names |= {f"key:{one.external_id}" for one in ApiKey.objects.all()}
        return {name for name in names if not self.restricted.decide([name], now=NOW.timestamp()).allowed}

    def follow(self) -> list[tuple[int, str]]:
        """Take the changes one by one. Return who was let in by which, and was refused before and after all of them."""
        before, let_in = self.refused, list[tuple[int, str]]()
        for change in Change.objects.filter(number__gt=self.restricted.sequence).order_by("number"):
            entry, fault = read_entry(change.payload) if change.payload is not None else (None, "")
            assert not fault
            self.restricted.change(change.number, entry, None if entry else change.restriction_id)
            let_in += [(change.number, name) for name in sorted(before - self.refused)]
        after = self.refused
        return [(number, name) for number, name in let_in if name in after]
