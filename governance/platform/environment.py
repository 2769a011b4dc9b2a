"""Values of environment variables that have a form of their own. Each function raises ImproperlyConfigured, with the
name of the variable and what to do.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DURATION: Final = re.compile(r"\d+(us|ms|s|min|h|d)?")


def parse_url_setting(name: str, value: str, *, schemes: tuple[str, ...]) -> SplitResult:
    """Return the parts of a URL with one of these schemes and a host."""
    try:
        parts = urlsplit(value)
        if parts.scheme in schemes and (parts.hostname or parts.scheme.startswith("postgres")):
            return parts
    except ValueError:
        pass
    begins = " or ".join(f"{scheme}://" for scheme in schemes)
    raise ImproperlyConfigured(f"{name} is not a URL that begins with {begins}.")  # not the URL: it may have a password


def parse_optional_url(name: str, value: str) -> str:
    """Return an address of HTTP, or the empty text."""
    if value:
        parse_url_setting(name, value, schemes=("https", "http"))
    return value


def parse_timeouts(name: str, value: str, *, known: Mapping[str, str]) -> dict[str, str]:
    """Return what `statement_timeout=60s,lock_timeout=5s` sets, as far as it is given."""
    given = dict(pair.partition("=")[::2] for pair in value.split(",") if pair.strip())
    for setting, duration in given.items():
        if setting not in known or not _DURATION.fullmatch(duration):
            raise ImproperlyConfigured(f"{name} is not a list such as {','.join(map('='.join, known.items()))}.")
    return given


def parse_networks(name: str, values: list[str]) -> list[str]:
    """Return these networks, such as 10.1.0.0/16."""
    for value in values:
        try:
            ip_network(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}.") from error
    return values


def parse_pairs(values: list[str]) -> dict[str, str]:
    """Return what each name stands for, from "name=value"; what has no equals sign is left out."""
    return dict(value.split("=", 1) for value in values if "=" in value)
