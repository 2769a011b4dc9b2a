"""Usage from gateways."""

import zlib
from collections.abc import Iterator
from http import HTTPStatus

import zstandard
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.staff.models import ServiceKey
from governance.usage.actions import Outcome, record_events, span_at
from governance.usage.wire import UnreadableBatchError, decode, lines_of
from governance.web.problems import Problem

MOST_BYTES = 8 * 2**20
MOST_BYTES_INFLATED = 64 * 2**20
MOST_EVENTS = 10_000
PIECE = 2**18


class UsageEvents(APIView):
    """`POST /api/v1/usage-events`: one JSON object a line, or `{"events": [...]}`; plain, gzip or zstd.

    202 once the good events are committed, whatever the others were; the answer counts accepted, duplicate and
    rejected and names each rejected line and why.
    """

    scopes = {"POST": ServiceKey.Scope.USAGE_WRITE}

    def post(self, request: Request) -> Response:
        body, now = received(request), timezone.now()
        try:
            lines = lines_of(body, ndjson="ndjson" in (request.content_type or ""))
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Unreadable", str(error)) from error
        refuse_too_many(len(lines))
        return counted(record_events(decode(lines, span=span_at(now)), source="native", now=now))


def received(request: Request) -> bytes:
    """The body without its compression. Raises Problem."""
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"Send at most {MOST_BYTES} bytes.")
    sent = request.stream.read() if request.stream else b""
    return inflated(sent, request.headers.get("Content-Encoding", "identity"))


def refuse_too_many(events: int) -> None:
    if events > MOST_EVENTS:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too many", f"Send at most {MOST_EVENTS} events at once.")


def counted(outcome: Outcome) -> Response:
    """What every source answers once its good events are committed."""
    answer = {
        "accepted": outcome.accepted,
        "duplicate": outcome.duplicate,
        "rejected": len(outcome.rejected),
        "rejections": [rejection._asdict() for rejection in outcome.rejected],
    }
    return Response(answer, status=HTTPStatus.ACCEPTED)


def inflated(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Raises Problem where it is damaged, too large, or compressed otherwise."""
    try:
        match encoding.strip().lower():
            case "identity" | "":
                return body
            case "gzip":
                pieces = _gunzip(body)
            case "zstd":
                pieces = zstandard.ZstdDecompressor().read_to_iter(body, write_size=PIECE)
            case other:
                title, detail = "Unknown encoding", f"Send identity, gzip or zstd, not {other[:40]}."
                raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, title, detail)
        whole = bytearray()
        for piece in pieces:
            whole += piece
            if len(whole) > MOST_BYTES_INFLATED:
                detail = f"Send at most {MOST_BYTES_INFLATED} bytes before compression."
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", detail)
        return bytes(whole)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "Damaged", f"The body is no whole {encoding} stream.") from error


def _gunzip(body: bytes) -> Iterator[bytes]:
    """Piece by piece, so that a bomb is noticed before it has unfolded."""
    inflater = zlib.decompressobj(wbits=31)
    while not inflater.eof:
        piece = inflater.decompress(body, PIECE)
        body = inflater.unconsumed_tail
        yield piece
        if not piece and not body and not inflater.eof:
            raise EOFError
