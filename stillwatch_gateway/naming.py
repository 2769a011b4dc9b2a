"""Who sent a request: the names by which Stillwatch knows customers, read from what a gateway sees of them; and
the name of the process that answers it.
"""

import os
import re
import secrets
import socket
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import unquote_to_bytes

from stillwatch_gateway.normalization import is_nothing, name_of, normalize_id, normalize_name, says_none

# What LiteLLM writes where there is no team, user or key of a customer.
LITELLMS_OWN: Final = frozenset(
    {
        "default_user_id",  # the creator of a key that belongs to nobody
        "litellm-cli",
        "litellm-dashboard",
        "litellm-internal-health-check",
        "litellm_proxy_master_key",
    }
)

LONGEST_NAME: Final = 200
LONGEST_ENCODED: Final = 12 * LONGEST_NAME  # each character as four bytes of UTF-8, percent-encoded
LONGEST_INSTANCE: Final = 120
MOST_COMMAS: Final = 3  # of a name or a key that stands beside others in a header
_COMMA: Final = re.compile(",")


def this_process() -> str:
    """Return a name that no process had before, since reports under one name count as one process."""
    return f"{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(3)}"


def is_instance_name(name: object) -> bool:
    """Whether Stillwatch takes this as the name of a process of a gateway."""
    return isinstance(name, str) and len(name) <= LONGEST_INSTANCE and name.isprintable() and bool(name.strip())


def split_header_values(value: str) -> list[str]:
    """The values of a header that may have been sent more than once: servers and proxies join these with commas.

    A value may have a comma of its own, so that the whole comes first.
    """
    if "," not in value:
        return [value.strip()]
    return [value.strip(), *(part.strip() for part in value.split(","))]


def comma_spacings(text: str) -> Iterator[str]:
    """A text as it stands, and with a space after each comma and without."""
    yield text.strip()
    if "," in text:
        parts = [part.strip() for part in text.split(",")]
        yield from (", ".join(parts), ",".join(parts))


def adjacent_values(value: str, starts: Iterable[int] | None = None) -> Iterator[str]:
    """Every text of up to four neighbouring values of a header that begins at one of `starts`, by default at a value.

    A name or a key may have commas of its own. Proxies join several headers, and write a list again, with a space
    after the comma or without: each text comes as it stands, and written in both ways.
    """
    ends = [*(found.start() for found in _COMMA.finditer(value)), len(value)]
    if starts is None:
        starts = [0, *(end + 1 for end in ends[:-1])]
    for start in starts:
        first = bisect_left(ends, start)
        for end in ends[first : first + MOST_COMMAS + 1]:
            yield from comma_spacings(value[start:end])


def possible_names(value: str) -> list[str]:
    """Every name that a text may stand for, the text itself first, each as ids are registered.

    Gateways may send a name percent-encoded, since headers hold ASCII only. Whether "50%25" is such a name or stands as
    it is registered nobody can tell, so that both count; so do UTF-8 and Latin-1, either of which a server may have
    decoded the other as.
    """
    if value.isascii() and "%" not in value:
        return [normalize_id(value)]
    found = [value]
    for encoding in ("utf-8", "latin-1"):
        with suppress(UnicodeEncodeError):
            sent = value.encode(encoding)
            found += [_decode(sent), _decode(unquote_to_bytes(sent))]
    return list(dict.fromkeys(map(normalize_id, found)))


def _decode(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def read_name(kind: str, value: object) -> tuple[list[str], str]:
    """Return every name that was sent by this value, with its kind, and why it cannot be read; "" where it can.

    A name that says there is none, such as "None", is none.
    """
    if not isinstance(value, str):
        return [], f"The name of the {kind} cannot be read: it is no text."
    every = possible_names(value[: LONGEST_ENCODED + 1])
    usable_entries = [name for name in every if _is_name(name)]
    found = [name_of(kind, name) for name in usable_entries if not is_nothing(name)]
    if any(map(_is_blank, every)):
        return found, f"The name of the {kind} cannot be read: it is blank. Leave it out where there is none."
    if any("\0" in name for name in every):
        return found, f"The name of the {kind} cannot be read: it holds NUL, which no name does."
    if not usable_entries:
        return [], f"The name of the {kind} cannot be read: at most {LONGEST_NAME} characters, as UTF-8."
    return found, ""


def read_names(names: Iterable[tuple[str, object]]) -> tuple[list[str], str]:
    """The same of several, each with its kind; those that are None or "" were not given."""
    found: list[str] = []
    unreadable = ""
    for kind, value in names:
        if value is None or value == "":
            continue
        read, why = read_name(kind, value)
        found += read
        unreadable = unreadable or why
    return found, unreadable


def _is_blank(name: str) -> bool:
    """Whether nothing of it shows."""
    return not any(character.isprintable() and not character.isspace() for character in name)


def _is_name(value: str) -> bool:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair
            return False
    return len(value) <= LONGEST_NAME


def litellm_account(team: str | None, user: str | None, key: str | None) -> str | None:
    """The account behind a request to LiteLLM; None where it is LiteLLM's own.

    It is who has a budget, who can be blocked, and who stays when people come and go: the team; without one the user;
    without either the key.
    """
    names = (team, user, lasting_key(key))
    return next((name for name in names if name and not is_nothing(name) and name not in LITELLMS_OWN), None)


def lasting_key(key: str | None) -> str | None:
    """LiteLLM's hash of a key, unless it is that of a token signed for an hour."""
    return None if key is None or is_nothing(key) or key.startswith("hashed-jwt-") else key


def given_names(
    account: str | None, key: str | None, digest: str | None, organisation: str | None, also: Iterable[str]
) -> tuple[list[str], str]:
    """The names that are given, and why one cannot be read; blank where all can."""
    plain = plain_names(account, key, digest, organisation, also)
    if plain is not None:
        return plain, ""
    return read_names(
        [("account", account), ("key", key), ("digest", digest), ("organisation", organisation), *map(_with_kind, also)]
    )


def plain_names(
    account: str | None, key: str | None, digest: str | None, organisation: str | None, also: Iterable[str]
) -> list[str] | None:
    """The names that are given where each can be read in one way only, as nearly all can; None where one cannot, or is
    no text. Checking all at once is faster than `read_names`.
    """
    names = []
    try:
        if account and not says_none(account):
            names.append(name_of("account", account))
        if key and not says_none(key):
            names.append(name_of("key", key))
        if digest and not says_none(digest):
            names.append(name_of("digest", digest))
        if organisation and not says_none(organisation):
            names.append(name_of("organisation", organisation))
        names += [normalize_name(name) for name in also if not says_none(name.partition(":")[2])]
        text = " ".join([*names, ""])  # after the kind of a blank name comes a space
    except (AttributeError, TypeError):
        return None
    is_plain = "%" not in text and ": " not in text and text.isascii() and text.isprintable()
    return names if is_plain and len(text) <= LONGEST_NAME else None


def _with_kind(name: str) -> tuple[str, str]:
    kind, _, value = name.partition(":")
    return kind, value
