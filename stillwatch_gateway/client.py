"""The client of a gateway: decides from memory, without a request over the network."""

import time
from collections.abc import Iterable

from stillwatch_gateway.follower import Follower
from stillwatch_gateway.moments import running
from stillwatch_gateway.naming import given_names
from stillwatch_gateway.restriction_set import UNREACHABLE, Decision


class Gateway(Follower):
    """What a gateway asks before it serves.

    While Stillwatch cannot be reached for longer than `patience` seconds, customers who are known to be restricted stay
    so. Everybody else is let in, unless their plan fails closed: by the operator of Stillwatch, or by
    `fail_closed_plans`; with `fail_closed` nobody is. A gateway that has never reached Stillwatch, and has no usable
    copy on disk, is past its patience from the start.
    """

    def decide(
        self,
        *,
        account: str | None = None,
        key: str | None = None,
        digest: str | None = None,
        organisation: str | None = None,
        also: Iterable[str] = (),
        plan: str | None = None,
    ) -> Decision:
        """What to do with a request of the customer with these names; give all that you know.

        A name that says there is none ("None", "null", "undefined") counts as none.

        `key` is your id of the API key, `digest` the SHA-256 of its secret in hexadecimal. Where a request shows
        several of a kind, `also` are the others, each with its kind: "account:acct_1042". None and "" count as not
        given. A name that cannot be read, such as one of white space, is refused where no other is restricted, with
        the reason in `because`.
        """
        names, unreadable = given_names(account, key, digest, organisation, also)
        now = time.time()
        age = self._age(now)
        # In this order: what is held over is there before the restrictions that lack it.
        decision = self._restricted.decide(names, now=now, age=age)
        if not decision.allowed:
            self._refusals.note(decision.number or 0)
            return decision
        if self._held and (before := self._held.refusal(names, now=now, age=age)) is not None:
            return before  # not reported: its number means nothing to Stillwatch any more
        if unreadable:
            return decision._replace(allowed=False, kind=None, reason=None, number=None, because=unreadable)
        if age > self._patience and (self._fail_closed or plan in self._closed_plans):
            return decision._replace(allowed=False, because=UNREACHABLE)
        return decision

    @property
    def epoch(self) -> str:
        """The history of changes that `sequence` belongs to; blank where Stillwatch is of a release without epochs."""
        return self._restricted.epoch

    @property
    def faults(self) -> int:
        """How many of the restrictions and changes that are held could not be read, or only in part."""
        return self._faults

    @property
    def age(self) -> float:
        """Seconds since the newest change was last known to be the newest: at least so many as it is in truth.

        Time in which the machine slept, or the process did not run, counts. Infinite where it is not known.
        """
        return self._age(time.time())

    def __len__(self) -> int:
        return len(self._restricted)

    def _age(self, wall: float) -> float:
        by_running, by_wall = running() - self._known_running, wall - self._known_wall
        return by_wall if by_wall > by_running else by_running  # noqa: FURB136 - max() takes several times as long
