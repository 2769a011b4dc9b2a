"""Refuse a port that another server listens on: a server that starts would share it without an error."""

import socket
import time
from typing import Final

from django.core.management.base import CommandError

# Seconds: what a killed Stillwatch left behind takes a moment to end.
ENDS_WITHIN: Final = 5.0


def refuse_used_port(name: str, host: str, port: int) -> None:
    """Raise CommandError if another process listens on the port. `name` is the setting that chooses the port."""
    until = time.monotonic() + ENDS_WITHIN
    while (reason := _reason_against(host, port)) is not None:
        if time.monotonic() > until:
            raise CommandError(f"port {port} cannot be used ({reason}): try another, as {name}={port + 10}")
        time.sleep(0.2)


def _reason_against(host: str, port: int) -> str | None:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OverflowError:
        return "ports go from 1 to 65535"
    except OSError as error:
        return error.strerror or str(error)
    return None
