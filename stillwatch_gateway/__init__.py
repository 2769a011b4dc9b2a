"""Stillwatch's restrictions at a gateway: held in memory and on disk, kept fresh, asked in microseconds."""

from stillwatch_gateway.client import Gateway
from stillwatch_gateway.restriction_set import Decision

__all__ = ["Decision", "Gateway"]
