"""Gateways and their processes as they reported last."""

from datetime import timedelta

from governance.gateways.models import Gateway, GatewayInstance, PropagationEntry
from tests.factories import NOW

SECOND = timedelta(seconds=1)


def gateway(name: str = "litellm", *, asked: bool = True) -> Gateway:
    return Gateway.objects.create(name=name, created_at=NOW, asked_at=NOW if asked else None)


def gateway_instance(
    of: Gateway | None,
    instance: str = "a",
    *,
    knows: int,
    after: float = 0.2,
    seen: float = 1.0,
    started: float = -60,
    has_ended: bool = False,
) -> GatewayInstance:
    """A process that has known everything up to `knows` since `after` seconds, and spoke up `seen` seconds from NOW."""
    made = GatewayInstance.objects.create(
        gateway=of,
        instance=instance,
        sequence=knows,
        started_at=NOW + started * SECOND,
        seen_at=NOW + seen * SECOND,
        ended_at=NOW + seen * SECOND if has_ended else None,
    )
    PropagationEntry.objects.create(gateway_instance=made, sequence=knows, at=NOW + after * SECOND)
    return made
