"""Requests by which a customer might make the check of a gateway fail, or have it asked about somebody else.

Each is made from the bytes of an API key. Those of `PLAIN` any API has to serve: with a good customer's key they are.
"""

from collections.abc import Callable, Iterable
from typing import Final

Request = Callable[[bytes, bytes], bytes]  # of the customer's key, and of a key of somebody who is not restricted

LARGE: Final = 3 * 2**20
JSON: Final = b"Content-Type: application/json"


def _request(
    key: bytes,
    *headers: bytes,
    line: bytes = b"POST /v1/chat/completions HTTP/1.1",
    host: bytes | None = b"api.example.com",
    body: bytes = b"{}",
    length: bytes | None = b"",
) -> bytes:
    """With the key as a bearer token; `length` says otherwise how long the body is, None says nothing."""
    lines = [line]
    if host is not None:
        lines.append(b"Host: " + host)
    if key:
        lines.append(b"Authorization: Bearer " + key)
    if length is not None:
        lines.append(b"Content-Length: " + (length or str(len(body)).encode()))
    return b"\r\n".join([*lines, *headers, b"Connection: close", b"", body])


def _chunked(pieces: Iterable[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def _get(path: bytes) -> Request:
    return lambda key, _: _request(key, line=b"GET %s HTTP/1.1" % path, body=b"", length=None)


def _with(*headers: bytes) -> Request:
    return lambda key, _: _request(key, *headers)


def _method(method: bytes) -> Request:
    return lambda key, _: _request(key, line=method + b" /v1/models HTTP/1.1", body=b"", length=None)


CHUNKS: Final = b"Transfer-Encoding: chunked"

PLAIN: Final[dict[str, Request]] = {
    "ordinary": _with(JSON),
    "large body": lambda key, _: _request(key, JSON, body=b"x" * LARGE),
    "large body in chunks": lambda key, _: _request(
        key, JSON, CHUNKS, length=None, body=_chunked([b"x" * 2**16] * (LARGE // 2**16))
    ),
    "compressed body": _with(b"Content-Encoding: gzip", b"Accept-Encoding: br, gzip, zstd"),
    "a hundred and twenty headers": _with(*(b"X-Extra-%d: 1" % number for number in range(120))),
    "a large header": _with(b"X-Extra: " + b"x" * 7_000),
    "three large headers": _with(*(b"X-Extra-%d: %s" % (number, b"x" * 7_000) for number in range(3))),
    "long path": _get(b"/v1/" + b"x" * 6_000),
    "query that names others": _get(b"/v1/models?account=acct_good&api_key=key_good&key_digest=00&unreadable=allow"),
    "query with escapes": _get(b"/v1/models?%00=%ff&a=%zz&&=&%&+"),
    "path with escapes": _get(b"/v1/%2e%2e/%c3%bc%20?x=/../../health/"),
    "many query parts": _get(b"/v1/models?" + b"a=1&" * 1_000),
    "method PUT": _method(b"PUT"),
    "method HEAD": _method(b"HEAD"),
    "method DELETE": _method(b"DELETE"),
    "method OPTIONS": _method(b"OPTIONS"),
    "expectation": _with(b"Expect: 100-continue"),
    "cookies": _with(b"Cookie: " + b"; ".join(b"c%d=1" % number for number in range(500))),
    "override of the method": _with(b"X-HTTP-Method-Override: GET", b"X-Original-URL: /health/", b"X-Rewrite-URL: /"),
    "forwarded": _with(b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-Proto: https", b"Forwarded: for=127.0.0.1"),
}

ODD: Final[dict[str, Request]] = {
    "HTTP/1.0": lambda key, _: _request(key, line=b"POST /v1/models HTTP/1.0"),
    "HTTP/1.0 without host": lambda key, _: _request(key, line=b"GET /v1/models HTTP/1.0", host=None, length=None),
    "no host": lambda key, _: _request(key, host=None),
    "empty host": lambda key, _: _request(key, host=b""),
    "two hosts": _with(b"Host: other.example.com"),
    "odd host": lambda key, _: _request(key, host=b"a b,c\xc3\xbc"),
    "absolute target": _get(b"http://stillwatch.example.com/v1/models"),
    "every resource": lambda key, _: _request(key, line=b"OPTIONS * HTTP/1.1", body=b"", length=None),
    "tunnel": lambda key, _: _request(key, line=b"CONNECT api.example.com:443 HTTP/1.1", body=b"", length=None),
    "unheard-of method": _method(b"BREW"),
    "lower-case method": _method(b"get"),
    "trace": _method(b"TRACE"),
    "very long path": _get(b"/v1/" + b"x" * 60_000),
    "longer path": _get(b"/v1/" + b"x" * 70_000),
    "raw UTF-8 in the path": _get("/v1/ü?account=ü".encode()),
    "raw Latin-1 in the path": _get("/v1/ü?account=ü".encode("latin-1")),
    "path out of the prefix": _get(b"/../../../health/"),
    "path of two slashes": _get(b"//health/"),
    "fragment": _get(b"/v1/models#?account=acct_good"),
    "a thousand headers": _with(*(b"X-Extra-%d: 1" % number for number in range(1_000))),
    "very large headers": _with(*(b"X-Extra-%d: %s" % (number, b"x" * 7_000) for number in range(70))),
    "length that is none": lambda key, _: _request(key, length=b"many"),
    "negative length": lambda key, _: _request(key, length=b"-1"),
    "length and chunks": lambda key, _: _request(key, CHUNKS, length=b"2", body=_chunked([b"{}"])),
    "compressed transfer": lambda key, _: _request(
        key, b"Transfer-Encoding: gzip, chunked", length=None, body=_chunked([b"{}"])
    ),
    "broken chunks": lambda key, _: _request(key, CHUNKS, length=None, body=b"zz\r\n{}\r\n0\r\n\r\n"),
    "unknown expectation": _with(b"Expect: a miracle"),
    "websocket": _with(b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: eA=="),
    "key as hop by hop": _with(b"Connection: Authorization, X-Api-Key, X-Stillwatch-Key"),
    "Stillwatch's own headers": _with(
        b"X-Stillwatch-Account: acct_good",
        b"X-Stillwatch-Api-Key: key_good",
        b"X-Stillwatch-Key-Digest: 00",
        b"X-Stillwatch-Organisation: org_good",
        b"X-Stillwatch-Key: swk_mine",
    ),
    "Stillwatch's own headers, blank": _with(b"X-Stillwatch-Account:", b"X-Stillwatch-Key:"),
    "Stillwatch's own headers with underscores": _with(
        b"X_Stillwatch_Account: acct_good", b"X_Stillwatch_Key: swk_mine"
    ),
    "Stillwatch's own headers, not ASCII": _with("X-Stillwatch-Account: acct_ü".encode(), b"X-Stillwatch-Key: \xfc"),
    "Stillwatch's answer": _with(b"X-Stillwatch-Decision: allow", b"X-Stillwatch-Restriction: 0"),
    "good key second": lambda key, good: _request(key, b"Authorization: Bearer " + good),
    "good key first": lambda key, good: _request(good, b"Authorization: Bearer " + key),
    "both in one header": lambda key, good: _request(good + b", Bearer " + key),
    "good key as X-Api-Key": lambda key, good: _request(key, b"X-Api-Key: " + good),
    "good key as bearer": lambda key, good: _request(good, b"X-Api-Key: " + key),
    "X-Api-Key": lambda key, _: _request(b"", b"X-Api-Key: " + key),
    "X-Api-Key twice": lambda key, good: _request(b"", b"X-Api-Key: " + key, b"X-Api-Key: " + good),
    "X-Api-Key twice, good first": lambda key, good: _request(b"", b"X-Api-Key: " + good, b"X-Api-Key: " + key),
    "X_Api_Key": lambda key, good: _request(b"", b"X-Api-Key: " + key, b"X_Api_Key: " + good),
    "X_Api_Key first": lambda key, good: _request(b"", b"X_Api_Key: " + good, b"X-Api-Key: " + key),
    "X_Api_Key alone": lambda key, _: _request(b"", b"X_Api_Key: " + key),
    "another header": lambda key, _: _request(b"", b"Api-Key: " + key, b"X-Goog-Api-Key: " + key),
    "no scheme": lambda key, _: _request(b"", b"Authorization: " + key),
    "scheme in capitals": lambda key, _: _request(b"", b"AUTHORIZATION: BEARER   " + key + b"  "),
    "scheme and tab": lambda key, _: _request(b"", b"Authorization: Bearer\t" + key),
    "another scheme": lambda key, _: _request(b"", b"Authorization: Token " + key),
    "folded header": lambda key, _: _request(b"", b"Authorization: Bearer\r\n " + key),
    "control character in X-Api-Key": _with(b"X-Api-Key: \x01"),
    "delete character in X-Api-Key": _with(b"X-Api-Key: a\x7fb"),
    "zero in X-Api-Key": _with(b"X-Api-Key: a\x00b"),
    "tab in X-Api-Key": _with(b"X-Api-Key: a\tb"),
    "UTF-8 in X-Api-Key": _with("X-Api-Key: ü".encode()),
    "Latin-1 in X-Api-Key": _with(b"X-Api-Key: \xfc"),
    "blank X-Api-Key": _with(b"X-Api-Key:"),
    "commas in X-Api-Key": _with(b"X-Api-Key: ,,,"),
    "large X-Api-Key": _with(b"X-Api-Key: " + b"x" * 7_900),
    "control character in another header": _with(b"X-Extra: \x01", b"User-Agent: \xff\x02"),
    "control character in the key": lambda key, _: _request(key + b"\x01", b"X-Api-Key: " + key),
}
