"""`Idempotency-Key`: a request that is sent again is answered again, and done once.

The answer is kept in the transaction of the effect. What is done in several transactions, as many restrictions are,
must itself be safe to do twice: where a process dies in between, the request that is sent again does the rest.

The header is that of draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from governance.platform.locks import Lock, advisory_lock
from governance.platform.transactions import retried_transaction
from governance.web.authentication import acting_key
from governance.web.models import KeptAnswer
from governance.web.problems import Problem
from stillwatch_gateway.normalization import is_nothing

HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 128
KEY_PARAMETER: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="The same key and request get the same answer for a week; another request with it is refused with 422.",
)


def idempotency_key(request: Request) -> str:
    """The header's value, or an empty string where there is no such header.

    Raises UnusableKeyError where it is too long or cannot be read. The web server hands over as blank what is not
    ASCII; if that counted as no key, a request that is sent again would be done again.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    if len(key) > LONGEST_KEY:
        raise UnusableKeyError(f"{HEADER} has at most {LONGEST_KEY} characters.")
    if not (key.strip() and key.isascii() and key.isprintable()):
        raise UnusableKeyError(
            f"{HEADER} cannot be read: send printable ASCII characters, or no such header where there is no key."
        )
    return "" if is_nothing(key) else key


class UnusableKeyError(Problem):
    """A key that no request can have."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, "Unusable key", detail)


def run_once(
    request: Request, act: Callable[[], Response], *, is_kept: Callable[[Response], bool], in_one_transaction: bool
) -> Response:
    """Do what is asked and keep the answer, or give the answer that was kept.

    Errors are not kept, nor answers that `is_kept` refuses: then the same key may be sent again with a corrected body.
    With `in_one_transaction` there is no effect without its kept answer: for what holds no lock for long.

    Raises Problem where the key was used for another request, or where that request is being answered just now.
    """
    key = idempotency_key(request)
    if not key:
        return act()
    asked = json.dumps([request.method, request.get_full_path(), request.data], sort_keys=True, cls=JSONEncoder)
    digest = hashlib.sha256(asked.encode()).digest()
    kept, _ = KeptAnswer.objects.get_or_create(
        service_key=acting_key(request), key=key, defaults={"request_digest": digest, "at": timezone.now()}
    )
    with advisory_lock(Lock.IDEMPOTENT_REQUEST, kept.pk % 2**31) as ours:
        if not ours:
            raise Problem(HTTPStatus.CONFLICT, "Request in progress", f"A request with this {HEADER} is in progress.")
        kept.refresh_from_db()
        if kept.status is None:

            def act_and_keep() -> Response:
                response = act()
                if is_kept(response):
                    _keep(response, kept, digest)
                return response

            return retried_transaction(act_and_keep)() if in_one_transaction else act_and_keep()
    if bytes(kept.request_digest) != digest:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "Key already used", f"This {HEADER} was used for another request."
        )
    return Response(json.loads(kept.body), status=kept.status, headers={"Idempotent-Replayed": "true"})


def _keep(response: Response, kept: KeptAnswer, digest: bytes) -> None:
    kept.request_digest, kept.status = digest, response.status_code
    kept.body = json.dumps(response.data, cls=JSONEncoder)
    kept.save(update_fields=["request_digest", "status", "body"])
