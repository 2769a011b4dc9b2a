"""Have others sign the newest checkpoint: a witness (C2SP tlog-witness), and a time-stamp authority (RFC 3161).

Both are optional. One that cannot be reached delays nothing; it is asked again by the timetable.
"""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from cryptography import x509
from django.conf import settings
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, TimeStampResponse, decode_timestamp_response
from rfc3161_client.errors import VerificationError
from rfc3161_client.tsp import PKIStatus, TimeStampRequest
from rfc3161_client.verify import VerifierBuilder

from governance.audit.folder import LogFolder
from governance.audit.merkle import consistency_proof
from governance.audit.models import Checkpoint, PublicationTrouble
from governance.audit.publishing import log_keys, remember_trouble
from governance.audit.queries import get_published_log
from governance.audit.stillwatch_verify import LogFaultError, VerifierKey, number_path, open_checkpoint
from governance.platform.locks import Lock, advisory_lock
from governance.platform.outbound import OutboundResponse, send
from governance.platform.outbound_errors import OutboundError

SECONDS: Final = 15.0
MOST_BYTES: Final = 100_000
# A time stamp covers everything before it too, and authorities limit how often they are asked.
STAMP_EVERY: Final = timedelta(hours=1)


class AnchorError(Exception):
    """The witness or the authority gave no signature; the message says why."""


def anchor(*, now: datetime) -> None:
    """Have the newest checkpoint signed by those whom the settings name and who have not done so yet."""
    with advisory_lock(Lock.LOG_ANCHORS) as is_alone:
        newest = Checkpoint.objects.of_log(get_published_log().origin).first() if is_alone else None
        if newest is None:
            return
        if not settings.AUDIT_WITNESS_URL:
            _forget(PublicationTrouble.Kind.WITNESS)
        elif newest.cosigned_at is None:
            _try(PublicationTrouble.Kind.WITNESS, partial(_have_witnessed, newest, now=now), now=now)
        if not settings.AUDIT_TIMESTAMP_URL:
            _forget(PublicationTrouble.Kind.TIME_STAMP)
        elif _is_stamp_due(newest, now=now):
            _try(PublicationTrouble.Kind.TIME_STAMP, partial(_have_stamped, newest, now=now), now=now)


def _forget(kind: PublicationTrouble.Kind) -> None:
    PublicationTrouble.objects.filter(kind=kind).delete()


def _try(kind: PublicationTrouble.Kind, ask: Callable[[], None], *, now: datetime) -> None:
    try:
        ask()
    except (AnchorError, LogFaultError, OSError, OutboundError, ValueError) as error:
        remember_trouble(kind, str(error), now=now)
    else:
        _forget(kind)


# The witness -------------------------------------------------------------------------------------------------


def _have_witnessed(newest: Checkpoint, *, now: datetime) -> None:
    folder = LogFolder(get_published_log().path)
    before = Checkpoint.objects.of_log(newest.origin).exclude(cosigned_at=None).values_list("size", flat=True).first()
    answer = _add_checkpoint(folder, newest, before or 0)
    if answer.status == HTTPStatus.CONFLICT and (known := _known_size(answer)) is not None:
        if known > newest.size:
            raise AnchorError(f"it has seen {known} entries, and the log published here has {newest.size}")
        answer = _add_checkpoint(folder, newest, known)
    if answer.status != HTTPStatus.OK:
        raise AnchorError(f"it answered {answer.status}")
    note = newest.note + answer.body.decode("utf-8", "replace")
    witness = VerifierKey.parse(settings.AUDIT_WITNESS_KEY)
    keys = [*(key.verifier for key in log_keys()), witness]
    if witness.name not in open_checkpoint(note, keys).witnessed:
        raise AnchorError("its answer holds no signature of AUDIT_WITNESS_KEY")
    folder.cosign(newest.size, note)
    newest.cosignatures, newest.cosigned_at = answer.body.decode(), now
    newest.save(update_fields=["cosignatures", "cosigned_at"])


def _add_checkpoint(folder: LogFolder, newest: Checkpoint, before: int) -> OutboundResponse:
    proof = consistency_proof(before, newest.size, partial(folder.node, newest.size))
    lines = [f"old {before}", *(base64.b64encode(step).decode() for step in proof), "", newest.note]
    return send(
        "POST",
        f"{settings.AUDIT_WITNESS_URL}/add-checkpoint",
        content="\n".join(lines).encode(),
        seconds=SECONDS,
        most_bytes=MOST_BYTES,
    )


def _known_size(answer: OutboundResponse) -> int | None:
    """The size of the newest checkpoint that the witness has signed."""
    is_size = answer.headers.get("Content-Type", "") == "text/x.tlog.size"
    return int(answer.body) if is_size and answer.body.strip().isdigit() else None


# The time-stamp authority ------------------------------------------------------------------------------------


def _is_stamp_due(newest: Checkpoint, *, now: datetime) -> bool:
    if newest.stamped_at is not None:
        return False
    stamped = Checkpoint.objects.of_log(newest.origin).exclude(stamped_at=None)
    last = stamped.values_list("stamped_at", flat=True).first()
    # One in the future was given while a clock was wrong.
    return last is None or not timedelta() <= now - last < STAMP_EVERY


def _have_stamped(newest: Checkpoint, *, now: datetime) -> None:
    text = newest.note.encode()
    request = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = send(
        "POST",
        settings.AUDIT_TIMESTAMP_URL,
        content=request.as_bytes(),
        headers={"Content-Type": "application/timestamp-query"},
        seconds=SECONDS,
        most_bytes=MOST_BYTES,
    )
    if answer.status != HTTPStatus.OK:
        raise AnchorError(f"it answered {answer.status}")
    _check_stamp(decode_timestamp_response(answer.body), request, text)
    LogFolder(get_published_log().path).add(f"checkpoints/{number_path(newest.size)}.tsr", answer.body)
    newest.time_stamp, newest.stamped_at = answer.body, now
    newest.save(update_fields=["time_stamp", "stamped_at"])


def _check_stamp(stamp: TimeStampResponse, request: TimeStampRequest, text: bytes) -> None:
    """Raises AnchorError, OSError, ValueError."""
    if PKIStatus(stamp.status) != PKIStatus.GRANTED:
        raise AnchorError("it refused")
    is_ours = stamp.tst_info.message_imprint.message == request.message_imprint.message
    if not is_ours or stamp.tst_info.nonce != request.nonce:
        raise AnchorError("its answer is about something else")
    if settings.AUDIT_TIMESTAMP_ROOTS:
        roots = x509.load_pem_x509_certificates(Path(settings.AUDIT_TIMESTAMP_ROOTS).read_bytes())
        verifier = VerifierBuilder(nonce=request.nonce, roots=roots).build()
        try:
            verifier.verify_message(stamp, text)
        except VerificationError as error:
            raise AnchorError(f"its signature does not verify: {error}") from None
