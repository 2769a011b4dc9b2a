"""The type of a protocol of the check: how one kind of gateway asks, and how it is answered."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from governance.gateways.check.request_parsing import AccessQuery, CheckResponse, RefusedRequestError, Request
from stillwatch_gateway.restriction_set import Decision

encode_json: Final = msgspec.json.Encoder().encode
JSON_HEADERS: Final = [("Content-Type", "application/json")]


class CheckProtocol(NamedTuple):
    """How a kind of gateway asks the check.

    Attributes:
        path: the address at which it asks.
        service_key: returns the secret of the service key that the gateway shows, or None.
        query: returns what is asked; raises RefusedRequestError.
        answer: answers with the decision and, for a query about accounts, whether any of them is registered.
        refuse: answers a query that cannot be answered because of what is asked.
        is_prefix: whether it asks below the path as well, at the customer's own address.
        says_known: whether the answer says if an account is registered.
        says_unreadable: whether the answer always says that a name cannot be read; else the operator may choose to
            answer that the check is not available.
        longest_body: of a POST, in bytes; without one nothing is read but headers.
    """

    path: str
    service_key: Callable[[Request], str | None]
    query: Callable[[Request], AccessQuery]
    answer: Callable[[Decision, bool | None], CheckResponse]
    refuse: Callable[[RefusedRequestError], CheckResponse]
    is_prefix: bool = False
    says_known: bool = False
    says_unreadable: bool = False
    longest_body: int = 0


def own_header(request: Request) -> str | None:
    """Return the secret in a header that customers' requests cannot bring in, since the gateway sets it.

    Authorization is the customer's.
    """
    return request.header(b"x-stillwatch-key")
