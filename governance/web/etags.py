"""ETags of what the API shows, and the headers by which a request names the one that it has seen (RFC 9110)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder


def etag_of(shown: Mapping[str, Any]) -> str:
    """Return another ETag for everything that is shown in another way."""
    text = json.dumps(shown, sort_keys=True, cls=JSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def is_known_already(request: Request, etag: str) -> bool:
    """Return True if `If-None-Match` names it, so that it need not be sent again."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in {one.removeprefix("W/") for one in known}


def is_as_seen(request: Request, etag: str) -> bool:
    """Return True if `If-Match` names it, or where there is no such header."""
    if "If-Match" not in request.headers:
        return True
    seen = parse_etags(request.headers["If-Match"])
    return "*" in seen or etag in seen
