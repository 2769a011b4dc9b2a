"""Requests to the check, made without a server."""

from governance.gateways.check.request_parsing import Request


def request(*headers: tuple[str, bytes], body: bytes = b"", query: bytes = b"") -> Request:
    scope = {
        "method": "POST",
        "path": "/access/check",
        "query_string": query,
        "headers": [(name.encode(), value) for name, value in headers],
    }
    made = Request(scope)
    made.body = body
    return made
