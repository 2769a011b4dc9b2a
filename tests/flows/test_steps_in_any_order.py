"""Restrict, lift, undo, let expire, decide, dismiss, decide again and move accounts, in any order: what always holds.

`SEEDS=200 make test-long ARGS=tests/flows/test_steps_in_any_order.py` takes more walks, `FIRST=7` begins with another.
"""

import json
import os
import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from accounts.actions import register_accounts
from accounts.models import Account, ApiKey, Organisation
from accounts.register import parse_account_line
from governance.gateways.check import sql
from governance.restrictions import actions
from governance.restrictions.conflicts import StartsLaterError
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, CoveredName, Restriction
from governance.restrictions.names import Target
from governance.restrictions.publication import cover_new_names
from governance.restrictions.reasons import Reason
from governance.restrictions.replacement_chains import find_replaced_by_lifted, restorable_chains
from governance.restrictions.terms import Terms
from governance.restrictions.undo import undo
from governance.review.actions import decide, reopen
from governance.review.models import Case, Decision, Dismissal
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import AlreadyDecidedError, CannotUndoError, NoSuchScopeError, Verdict
from stillwatch_gateway.entry_reader import read_entry
from stillwatch_gateway.restriction_set import RestrictionSet
from tests.factories import MACHINE, NOW, campaign_of, case, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

FIRST, SEEDS = int(os.environ.get("FIRST", "0")), int(os.environ.get("SEEDS", "5"))
STEPS = 25
DIGESTS = {"key_1": "1" * 64, "key_2": "2" * 64}
ACCOUNTS = ["acct_1", "acct_2", "acct_3"]
TARGETS = [
    *((Account, name) for name in ACCOUNTS),
    *((ApiKey, name) for name in DIGESTS),
    (Organisation, "org_1"),
]  # fmt: skip
NAMES = [
    *(f"account:{name}" for name in ACCOUNTS),
    *(f"key:{name}" for name in DIGESTS),
    *(f"digest:{digest}" for digest in DIGESTS.values()),
    "organisation:org_1",
]
AHEAD = [timedelta(minutes=minutes) for minutes in (0, 1, 4, 7, 16, 40, 100)]


def snapshot() -> RestrictionSet:
    """What a gateway holds that begins to follow the feed now."""
    with sql.connect() as database, sql.open_snapshot(database) as known:
        read = [read_entry(json.loads(payload)) for payload in known.payloads]
        return RestrictionSet([one for one, _ in read if one is not None], known.sequence)


def refused(restricted: RestrictionSet, at: datetime) -> set[str]:
    return {name for name in NAMES if not restricted.decide([name], now=at.timestamp()).allowed}


def refused_by_rows(at: datetime) -> set[str]:
    names = CoveredName.objects.filter(restriction__in=Restriction.objects.in_force(at=at).denying())
    return {f"{kind}:{name}" for kind, name in names.values_list("kind", "name")} & set(NAMES)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


class Walk:
    """Steps that follow from a seed, and a gateway that follows the feed."""

    def __init__(self, seed: int) -> None:
        self.choose, self.now, self.taken = random.Random(seed), NOW, list[str]()
        self.register(account="acct_1", organisation="org_1", keys=[{"id": "key_1", "digest": DIGESTS["key_1"]}])
        self.register(account="acct_2", organisation="org_1", keys=[{"id": "key_2", "digest": DIGESTS["key_2"]}])
        self.register(account="acct_3")
        self.accounts = list(Account.objects.order_by("external_id"))
        self.mira = person()
        campaign_of(*self.accounts)
        for one in self.accounts:
            case(one)
        self.gateway = snapshot()

    def register(self, **line: object) -> None:
        register_accounts([parse_account_line(json.dumps(line).encode())], by=MACHINE, now=self.now)

    def step(self) -> None:
        often = [self.restrict] * 4 + [self.decide] * 4 + [self.wait] * 2 + [self.undo_decision, self.lift] * 2
        step = self.choose.choice([*often, self.undo_request, self.expire, self.move, self.reopen])
        self.taken.append(f"{self.now:%H:%M} {step.__name__} {step()}")

    def restrict(self) -> object:
        model, name = self.choose.choice(TARGETS)
        target: Target = cast("type[Any]", model).objects.get(external_id=name)
        kind = self.choose.choice([RestrictionKind.BLOCK, RestrictionKind.BLOCK, RestrictionKind.SUSPEND])
        start = self.now + minutes(self.choose.choice([0, 5, 20])) if self.choose.random() < 0.4 else None
        lasts = self.choose.choice([None, 3, 8, 15, 30])
        until = (start or self.now) + minutes(lasts) if lasts else None
        key = f"request:{len(self.taken)}"
        try:
            terms = Terms(kind, Reason.OTHER, until, start)
            return actions.restrict(target, terms, unique_key=key, by=MACHINE, now=self.now), start, until
        except StartsLaterError as error:
            return error

    def lift(self) -> object:
        if not (numbers := list(Restriction.objects.order_by("number").values_list("number", flat=True))):
            return None
        number = self.choose.choice(numbers)
        actions.lift_all([number], note="Fine.", by=MACHINE, now=self.now)
        one = Restriction.objects.get(number=number)
        left = Restriction.objects.filter(origin=one.origin, kind=one.kind, ended_at=None)
        assert not [other for other in left if other.target == one.target], f"{one} was lifted and is in force"
        return one

    def undo_request(self) -> object:
        asked = Restriction.objects.filter(origin__startswith="request:").order_by("origin")
        if not (origins := list(asked.values_list("origin", flat=True).distinct())):
            return None
        origin = self.choose.choice(origins)
        undo([origin], note="A slip.", by=MACHINE, now=self.now)
        assert not Restriction.objects.filter(origin=origin, ended_at=None).exists()
        return origin

    def expire(self) -> object:
        return actions.end_expired(now=self.now)

    def wait(self) -> object:
        self.now += minutes(self.choose.choice([1, 2, 5, 9]))
        return None

    def move(self) -> object:
        if self.choose.random() < 0.5:
            line: dict[str, Any] = {
                "account": self.choose.choice(ACCOUNTS),
                "keys": [{"id": self.choose.choice(list(DIGESTS))}],
            }
        else:
            line = {"account": self.choose.choice(ACCOUNTS[:2]), "organisation": self.choose.choice(["org_1", None])}
        self.register(**line)
        cover_new_names(now=self.now)
        return line

    def newest_case(self) -> Case:
        account = self.choose.choice(self.accounts)
        return Case.objects.filter(account=account).order_by("-opened_at", "-pk").first() or case(account)

    def decide(self) -> object:
        own, kind = (
            self.newest_case(),
            self.choose.choice([RestrictionKind.BLOCK, RestrictionKind.BLOCK, RestrictionKind.SUSPEND, None]),
        )
        if not own.is_open:
            own = reopen(own, by=self.mira, now=self.now)
        if kind is None:
            verdict = Verdict(Dismissal.DISMISS, Reason.EXPECTED_USE, note="As agreed.")
        else:
            lasts = minutes(self.choose.choice([5, 12])) if kind == RestrictionKind.SUSPEND else None
            scope = self.choose.choice(list(Decision.Scope))
            verdict = Verdict(kind, Reason.BULK_HARVEST, note="Seen twice.", lasts=lasts, scope=scope)
        identity = uuid.UUID(int=self.choose.getrandbits(128))
        try:
            made = decide(own, verdict, decision_id=identity, by=self.mira, now=self.now)
        except (AlreadyDecidedError, NoSuchScopeError) as error:
            return own.account, error
        self.follow()
        apply_unfinished_decisions(now=self.now)
        if kind is not None:
            assert any(one.denies for one in Restriction.objects.in_force(at=self.now).against(own.own_account))
        return own.account, verdict.action, verdict.scope, made.origin

    def undo_decision(self) -> object:
        own = self.newest_case()
        kept = Decision.objects.not_undone().filter(case=own).first()
        try:
            done = undo_decision(own, note="A slip.", by=self.mira, now=self.now)
        except CannotUndoError as error:
            return own.account, error
        self.follow()
        apply_unfinished_decisions(now=self.now)
        assert kept is not None
        assert not Restriction.objects.filter(origin=kept.origin, ended_at=None).exists()
        return own.account, kept.origin, done

    def reopen(self) -> object:
        own = self.newest_case()
        return None if own.is_open else reopen(own, by=self.mira, now=self.now)

    # What always holds -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        self.follow()
        for ahead in AHEAD:
            at = self.now + ahead
            assert refused(self.gateway, at) == refused(snapshot(), at) == refused_by_rows(at), f"{ahead} later"
        self.assert_one_of_a_kind_at_a_time()
        self.assert_nothing_is_lost()
        before = refused(snapshot(), self.now)
        actions.end_expired(now=self.now)  # nobody notices that the end of what is over is recorded
        assert refused(snapshot(), self.now) == before

    def follow(self) -> None:
        """Apply the changes one by one: an account refused before and after all of them is let in by none."""
        states = [refused(self.gateway, self.now)]
        for change in Change.objects.filter(number__gt=self.gateway.sequence).order_by("number"):
            entry, faults = read_entry(change.payload) if change.payload is not None else (None, [])
            assert not faults
            self.gateway.change(change.number, entry, None if entry else change.restriction_id)
            states.append(refused(self.gateway, self.now))
        for state in states:
            assert states[0] & states[-1] <= state, "let in between two changes"

    @staticmethod
    def assert_one_of_a_kind_at_a_time() -> None:
        known = defaultdict[tuple[Target, str], list[Restriction]](list)
        for one in Restriction.objects.filter(ended_at=None):
            for other in known[one.target, one.kind]:
                assert not one.overlaps(other.starts_at, other.effective_until), f"{one} beside {other}"
            known[one.target, one.kind].append(one)

    def assert_nothing_is_lost(self) -> None:
        """What was replaced for a time, and is neither over nor withdrawn, is in force again or will be."""
        live = list(Restriction.objects.filter(ended_at=None))
        waiting = {one.number for chain in restorable_chains(live) for one in chain}
        origins = {(one.origin, one.target, one.kind) for one in live}
        for one in self.replaced_for_a_time():
            assert one.number in waiting or (one.origin, one.target, one.kind) in origins, f"{one} is lost"

    def replaced_for_a_time(self) -> Iterator[Restriction]:
        replaced = Restriction.objects.filter(ending="replaced", superseded_by="", withdrawn_at=None).order_by("number")
        over = find_replaced_by_lifted(list(replaced.values_list("number", flat=True)))
        for one in replaced.exclude(number__in=over):
            newest = Restriction.objects.filter(origin=one.origin, kind=one.kind).order_by("-number")
            is_newest = next(other for other in newest if other.target == one.target) == one
            if is_newest and (one.expires_at is None or one.expires_at > self.now):
                yield one


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_always_hold(seed: int) -> None:
    walk = Walk(seed)
    try:
        for _ in range(STEPS):
            walk.step()
            walk.check()
    except BaseException:
        print(*walk.taken, sep="\n")  # noqa: T201 - how it came to that
        raise
