"""LiteLLM's admin API: read, block and unblock teams and keys.

Teams are blocked by `/team/update`, since `/team/block` writes LiteLLM's database only: its processes go on by what
they remember of the team, a minute by default (litellm/proxy/management_endpoints/team_endpoints.py).
"""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

from governance.gateways.models import LiteLlmPush
from governance.platform.outbound import OutboundClient, OutboundResponse
from governance.platform.outbound_errors import AnswerTooLongError, OutboundError

SECONDS: Final = 5.0
MOST_BYTES: Final = 16 * 2**20
PAGE: Final = 100
HASH: Final = re.compile("[0-9a-f]{64}")
# A user who owns nothing: only an admin may ask for the keys of others.
NOBODY: Final = "stillwatch-asks-for-nobody"


class LiteLlmError(Exception):
    """Says in words what LiteLLM did not do; never with the key."""


class UnreachableError(LiteLlmError):
    """Nothing came back, so nobody knows what was done."""


class UnknownNameError(LiteLlmError):
    """LiteLLM has no such team or key."""


class LiteLlmObject(NamedTuple):
    """What LiteLLM can block: a team by its id, or a key by its hash."""

    kind: LiteLlmPush.Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class LiteLlmKey(NamedTuple):
    """A key as LiteLLM has it."""

    name: str
    team: str
    user: str
    blocked: bool


def base_url(url: str) -> str:
    """The address as it is asked: no more than where LiteLLM is. Raises LiteLlmError for what is no such address."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment or len(url) > 300:
        raise LiteLlmError("its address must be https://… or http://…, with a host and nothing after the path")
    return url.rstrip("/")


class LiteLlm:
    """One LiteLLM. Its connection is kept until the block ends."""

    def __init__(self, url: str, *, key: str) -> None:
        parts = urlsplit(base_url(url))
        if not key or not re.fullmatch("[!-~]+", key):
            raise LiteLlmError("its key is missing, or has characters that no key has")
        self._client = OutboundClient(url, seconds=SECONDS, most_bytes=MOST_BYTES, secrets=[key])
        self._folder, self._key = parts.path.rstrip("/"), key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._client.close()

    def check(self) -> None:
        """Raises LiteLlmError unless this is a LiteLLM whose database answers, and the key that of an admin."""
        self._list_keys_page(NOBODY, 1)

    def is_team_blocked(self, name: str) -> bool:
        answer = self._ask("GET", "/team/info", team_id=name, key_limit=1)
        return _flag(_member(answer, "team_info"))

    def key(self, name: str) -> LiteLlmKey:
        answer = self._ask("GET", "/key/info", key=name)
        info = _member(answer, "info")
        if info.get("status") == "deleted":
            raise UnknownNameError("the key was deleted")
        return _litellm_key(name, info)

    def keys_of_user(self, user: str) -> Iterator[LiteLlmKey]:
        """Those that a user owns. What LiteLLM lists is looked at: it took part of a name for all of it once."""
        page, pages = 1, 1
        while page <= pages:
            listed, pages = self._list_keys_page(user, page)
            yield from (
                _litellm_key(str(key.get("token")), key)
                for key in listed
                if isinstance(key, dict) and key.get("user_id") == user
            )
            page += 1

    def is_blocked(self, thing: LiteLlmObject) -> bool:
        """Raises UnknownNameError where LiteLLM has no such thing."""
        return self.is_team_blocked(thing.name) if thing.kind == LiteLlmPush.Kind.TEAM else self.key(thing.name).blocked

    def set_blocked(self, thing: LiteLlmObject, *, blocked: bool) -> None:
        """Block it, or let it go, and see that LiteLLM has it so. Raises UnknownNameError as well."""
        if thing.kind == LiteLlmPush.Kind.TEAM:
            self._ask("POST", "/team/update", {"team_id": thing.name, "blocked": blocked})
        else:
            self._ask("POST", "/key/block" if blocked else "/key/unblock", {"key": thing.name})
        if self.is_blocked(thing) != blocked:
            raise LiteLlmError(f"it took the request, and has it {'unblocked' if blocked else 'blocked'} still")

    def _list_keys_page(self, user: str, page: int) -> tuple[list[Any], int]:
        answer = self._ask("GET", "/key/list", user_id=user, page=page, size=PAGE, return_full_object="true")
        keys, pages = answer.get("keys"), answer.get("total_pages")
        if not isinstance(keys, list) or not isinstance(pages, int):
            raise _strange()
        return keys, pages

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        target = f"{self._folder}{path}" + (f"?{urlencode(query)}" if query else "")
        response = self._exchange(method, target, json.dumps(body) if body else None)
        if response.redirects_to:
            raise LiteLlmError(f"it redirects to {self._client.quote(response.redirects_to)}: give that address")
        status, said = response.status, response.body
        try:
            answer = json.loads(said)
        except (ValueError, RecursionError):
            answer = None
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and isinstance(answer, dict):
            return answer
        if status < HTTPStatus.BAD_REQUEST:
            raise _strange()
        words = _words(answer)
        # A server that is no LiteLLM has no such page either: only LiteLLM's own word counts.
        if status == HTTPStatus.NOT_FOUND and words:
            raise UnknownNameError(f"it answers 404: {self._client.quote(words)}")
        raise LiteLlmError(f"it answers {status}" + (f": {self._client.quote(words)}" if words else ""))

    def _exchange(self, method: str, target: str, body: str | None) -> OutboundResponse:
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "litellm-changed-by": "stillwatch",
        }
        content = body.encode() if body else None
        try:
            # Every request says how things shall be, so that a second one does no harm.
            return self._client.request(method, target, content=content, headers=headers, is_repeatable=True)
        except AnswerTooLongError as error:
            raise LiteLlmError(str(error)) from None
        except OutboundError as error:
            raise UnreachableError(f"it cannot be reached: {error}") from None


def _strange() -> LiteLlmError:
    return LiteLlmError("it answers, but not as LiteLLM does: is this its address?")


def _words(answer: Any) -> str:
    """What LiteLLM says is wrong; nothing where it is not LiteLLM that says it."""
    match answer:
        case {"error": {"message": str(words)}} | {"detail": {"error": str(words)} | {"message": str(words)}}:
            return words or "no more"
        case {"error": {"message": {"error": str(words)} | {"message": str(words)}}}:
            return words or "no more"
    return ""


def _member(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    member = answer.get(name)
    if not isinstance(member, dict):
        raise _strange()
    return member


def _flag(row: Mapping[str, Any]) -> bool:
    """LiteLLM writes null for what was never blocked."""
    if "blocked" not in row:
        raise _strange()
    return row["blocked"] is True


def _litellm_key(name: str, row: Mapping[str, Any]) -> LiteLlmKey:
    return LiteLlmKey(name, team=row.get("team_id") or "", user=row.get("user_id") or "", blocked=_flag(row))
