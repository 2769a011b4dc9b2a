"""The start of a restriction as sent to gateways: earlier than now if immediate, since their clocks may be slow."""

from datetime import datetime, timedelta
from typing import Final

# No clock is so far behind. The times remain different, by which gateways know two restrictions with one number apart.
BACKDATED: Final = timedelta(days=50 * 365)


def start_for_gateways(starts_at: datetime, *, starts_later: bool) -> datetime:
    """Return what gateways are sent as the start of a restriction."""
    return starts_at if starts_later else starts_at - BACKDATED


def start_from_gateway(sent: datetime, *, at: datetime) -> datetime:
    """Return when a restriction started that a gateway names, at `at`, with a start that it was sent."""
    return sent + BACKDATED if at - sent > BACKDATED / 2 else sent
