"""Two gateways of the demonstration: one follows every decision, the other has stopped following, on purpose."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from governance.audit.actor import Actor
from governance.gateways.telemetry import InstanceReport, RefusalReport, save_reports
from governance.platform.installation_secrets import read_private
from governance.restrictions.models import Change
from governance.staff.models import ServiceKey
from governance.staff.service_keys import authenticate_service_key, issue_service_key

FOLLOWING: Final = "demo-east"
# Its name is all that a page, the banner and the list of service keys say of it.
BEHIND: Final = "demo-west (behind on purpose)"
# So many of the newest changes have not reached it.
LACKED: Final = 2
STUCK_INSTANCE: Final = "west-1"
_PAST_INSTANCE: Final = "east-1"


class DemoGateways(NamedTuple):
    """The service keys with which the two gateways ask."""

    following: ServiceKey
    behind: ServiceKey


class GatewaySecrets(NamedTuple):
    """With what the gateways go on asking, and the change at which the one stopped."""

    following: str
    behind: str
    stopped_at: int


def issue_gateway_keys(*, by: Actor, now: datetime) -> tuple[DemoGateways, tuple[str, str]]:
    """Issue the keys of the two gateways. Return them and their secrets."""
    issued = [issue_service_key(name=name, scopes=["access:read"], by=by, now=now) for name in (FOLLOWING, BEHIND)]
    (following, first), (behind, second) = issued
    return DemoGateways(following, behind), (first, second)


def report_refusals(
    gateways: DemoGateways, events: Sequence[dict[str, Any]], refusing: Mapping[str, int], *, now: datetime
) -> None:
    """Let the gateway say whom it has refused, and because of which restriction."""
    times: dict[int, list[datetime]] = {}
    for event in events:
        times.setdefault(refusing[event["account"]], []).append(datetime.fromisoformat(event["occurred_at"]))
    key = gateways.following
    reports = [
        RefusalReport(key.pk, key.name, number, min(found), max(found), len(found)) for number, found in times.items()
    ]
    save_reports(reports, now=now)


def report_instances(gateways: DemoGateways, *, began_at: datetime, now: datetime) -> int:
    """Let both say which changes they have, as if they had run since `began_at`. Return where the one stopped."""
    changes = list(Change.objects.order_by("number").values_list("number", "at"))
    newest, stopped_at = changes[-1][0], changes[-1 - LACKED][0]
    dice = Random("how long changes take to arrive")
    arrivals = [(number, at + timedelta(milliseconds=60 + dice.expovariate(1 / 40))) for number, at in changes]
    following, behind = gateways
    late = [one for one in arrivals if one[0] <= stopped_at]
    save_reports(
        [
            # Another instance takes its place once Stillwatch runs.
            InstanceReport(following.pk, following.name, _PAST_INSTANCE, newest, now, arrivals, is_ending=True),
            InstanceReport(behind.pk, behind.name, STUCK_INSTANCE, stopped_at, now, late),
        ],
        now=began_at,
    )
    return stopped_at


def keep_secrets(file: Path, kept: GatewaySecrets) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(kept._asdict(), out)


def usable_secrets(file: Path, *, now: datetime) -> GatewaySecrets | None:
    """Return what the gateways go on with; None where there are none, or somebody has revoked their keys.

    Raises PermissionError where others may read the file.
    """
    if not file.exists():
        return None
    kept = GatewaySecrets(**json.loads(read_private(file)))
    usable = (authenticate_service_key(secret, now=now) for secret in (kept.following, kept.behind))
    return kept if all(usable) else None
