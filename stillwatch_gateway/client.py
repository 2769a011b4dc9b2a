"""The gateway's end: keeps the restrictions in memory and on disk, and answers without asking anybody."""

import gzip
import json
import logging
import os
import random
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from stillwatch_gateway import disk
from stillwatch_gateway.messages import (
    MOST_CHANGES_BYTES,
    MOST_SNAPSHOT_BYTES,
    BadMessageError,
    Head,
    read_changes,
    signing_key,
)
from stillwatch_gateway.naming import LONGEST_INSTANCE, LONGEST_NAME, is_instance, read_names, this_process
from stillwatch_gateway.normalization import name_of, normalize_name
from stillwatch_gateway.restricted import UNREACHABLE, Decision, OutOfOrderError, Restricted

logger = logging.getLogger("stillwatch_gateway")

WAIT_SECONDS: Final = 5  # refusals are told with the next question
ANSWER_SECONDS: Final = 15.0
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 5.0
FOLD_AT_BYTES: Final = 32 * 2**20
FOLD_AT_CHANGES: Final = 50_000
PIECE: Final = 2**18
REFUSALS_REPORTED: Final = 500
FAULTS_LOGGED: Final = 10  # of one message


class AnswerError(Exception):
    """Stillwatch answered, but with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Stillwatch answered {status}")
        self.status = status


class Gateway:
    """What a gateway asks before it serves.

    While Stillwatch cannot be reached for longer than `patience` seconds, whoever is known to be restricted stays so;
    anybody else is let in, unless their plan is one that the operator of Stillwatch has set to fail closed.
    """

    def __init__(
        self,
        url: str,
        service_key: str,
        folder: str | Path,
        *,
        instance: str = "",
        patience: float = 60.0,
        on_change: Callable[[int], None] | None = None,
    ) -> None:
        address = urlsplit(url.rstrip("/"))
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError(f"{url!r} is no address of Stillwatch")
        if instance and not is_instance(instance):
            raise ValueError(f"instance must be 1 to {LONGEST_INSTANCE} printable characters, not blank")
        if not (service_key.isascii() and service_key.isprintable()):
            raise ValueError("service_key must be in one line of printable ASCII: take off the line end")
        self._address, self._patience, self._on_change = address, patience, on_change
        self._instance = instance or this_process()
        self._headers = {"Authorization": f"Bearer {service_key}", "Content-Type": "application/json"}
        self._key, self._folder = signing_key(service_key), Path(folder)
        self._restricted, self._closed_plans = Restricted(), frozenset[str]()
        self._known_at = float("-inf")  # monotonic, when the newest change was last known to be the newest
        self._known = threading.Event()
        self._ended = threading.Event()
        self._refusals: dict[int, list[float]] = {}
        self._faults = 0
        self._caller: HTTPConnection | None = None
        self._store: disk.Store | None = None
        self._follower = threading.Thread(target=self._follow, name="stillwatch", daemon=True)

    # What the gateway asks ---------------------------------------------------------------------------------------

    def start(self, wait: float = 5.0) -> bool:
        """Read what was known last and follow Stillwatch from now on; whether it was reached within `wait` seconds.

        Call it in the process that asks: threads do not survive a fork.
        """
        self._store = disk.Store(self._folder, self._key)
        if kept := self._store.load():
            self._restricted, self._closed_plans = kept.restricted, kept.closed
            self._note_faults(kept.faults)
        self._follower.start()
        return self._known.wait(wait)

    def close(self) -> None:
        self._ended.set()
        self.cut()
        if self._follower.is_alive():
            self._follower.join(ANSWER_SECONDS)
        if self._store is not None:
            self._store.close()

    def decide(
        self,
        *,
        account: str | None = None,
        key: str | None = None,
        digest: str | None = None,
        organisation: str | None = None,
        also: Iterable[str] = (),
        plan: str | None = None,
    ) -> Decision:
        """What to do with a request of the customer with these names; give all that you know.

        `key` is your id of the API key, `digest` the SHA-256 of its secret in hexadecimal. Where a request shows
        several of a kind, `also` are the others, each with its kind: "account:acct_1042". None and "" count as not
        given. A name that cannot be read, such as one of white space, is refused where no other is restricted, with
        the reason in `because`.
        """
        names, unreadable = [], ""
        try:
            if account:
                names.append(name_of("account", account))
            if key:
                names.append(name_of("key", key))
            if digest:
                names.append(name_of("digest", digest))
            if organisation:
                names.append(name_of("organisation", organisation))
            names += map(normalize_name, also)
            is_plain = _are_plain(names)
        except (AttributeError, TypeError):  # one is no text
            is_plain = False
        if not is_plain:
            given = [("account", account), ("key", key), ("digest", digest), ("organisation", organisation)]
            names, unreadable = read_names([*given, *map(_with_kind, also)])
        age = time.monotonic() - self._known_at
        decision = self._restricted.decide(names, now=time.time(), age=age)
        if not decision.allowed:
            self._note_refusal(decision)
        elif unreadable:
            return decision._replace(allowed=False, kind=None, reason=None, number=None, because=unreadable)
        elif age > self._patience and plan in self._closed_plans:
            return decision._replace(allowed=False, because=UNREACHABLE)
        return decision

    @property
    def sequence(self) -> int:
        return self._restricted.sequence

    @property
    def faults(self) -> int:
        """How many of the restrictions and changes that are held could not be read, or only in part."""
        return self._faults

    @property
    def age(self) -> float:
        """Seconds since the newest change was last known to be the newest."""
        return time.monotonic() - self._known_at

    def __len__(self) -> int:
        return len(self._restricted)

    # Following Stillwatch ----------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Drop the connection; it is made anew."""
        caller = self._caller
        if caller is not None and caller.sock is not None:
            with suppress(OSError):
                caller.sock.shutdown(socket.SHUT_RDWR)

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        needs_snapshot = self._restricted.sequence == 0
        while not self._ended.is_set():
            try:
                if needs_snapshot or self._should_fold():
                    self._take_snapshot()
                    needs_snapshot = False
                self._take_changes()
                pause = FIRST_PAUSE
                continue
            except (BadMessageError, OutOfOrderError) as error:
                logger.warning("Refused a message of Stillwatch: %s", error)
                needs_snapshot = True
            except AnswerError as error:
                logger.warning("%s", error)
                needs_snapshot = needs_snapshot or error.status == 410
            except (OSError, HTTPException, EOFError, zlib.error) as error:
                logger.info("Stillwatch cannot be reached: %s", type(error).__name__)
            except Exception:
                logger.exception("Following Stillwatch failed")
            self._hang_up()
            self._ended.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret
            pause = min(2 * pause, LONGEST_PAUSE)
        self._hang_up()

    def _should_fold(self) -> bool:
        written = self._store.changes_bytes if self._store is not None and self._store.writes else 0
        return written > FOLD_AT_BYTES or self._restricted.told_since > FOLD_AT_CHANGES

    def _take_changes(self) -> None:
        refusals = self._refusals_to_tell()
        waits = WAIT_SECONDS if self._known.is_set() else 0
        asked = json.dumps(
            {
                "after": self.sequence,
                "instance": self._instance,
                "wait": waits,
                "refusals": refusals,
                "faults": self._faults,
            }
        )
        answer = self._ask("POST", "/api/v1/access/changes", asked)
        body = _inflated(_read(answer, MOST_CHANGES_BYTES), answer.getheader("Content-Encoding"), MOST_CHANGES_BYTES)
        digest, signed = answer.getheader("Stillwatch-Digest"), answer.getheader("Stillwatch-Signature")
        disk.verify(body, digest, signed, self._key)
        changes = read_changes(body)
        if changes.after != self.sequence:
            raise BadMessageError(f"changes after {changes.after}, not {self.sequence}")
        disk.apply(self._restricted, changes)
        self._closed_plans = changes.closed
        self._note_faults(changes.faults)
        self._now_known()
        if changes.changes and self._store is not None:
            self._store.keep_changes(body, str(digest), str(signed))
        self._told(refusals)

    def _take_snapshot(self) -> None:
        answer = self._ask("GET", "/api/v1/access/snapshot")
        digest, signed = answer.getheader("Stillwatch-Digest", ""), answer.getheader("Stillwatch-Signature", "")
        received = self._folder / f"received-{os.getpid()}"
        signature_line = f"{digest} {signed}\n"
        if len(signature_line) > disk.HEAD_BYTES or not signature_line.isascii():
            raise BadMessageError("the signature is too long")
        try:
            _receive(answer, received, signature_line.encode())
            restricted, head = self._checked(received)
            if self._store is not None:
                self._store.keep_snapshot(received)
        finally:
            received.unlink(missing_ok=True)
        self._restricted, self._closed_plans = restricted, head.closed
        self._faults = 0  # the snapshot stands for all that came before it
        self._note_faults(head.faults)
        self._now_known()

    def _checked(self, received: Path) -> tuple[Restricted, Head]:
        restricted, head = disk.load_snapshot(received, self._key)
        if head.sequence < self.sequence:
            raise BadMessageError(f"a snapshot of {head.sequence} is older than {self.sequence}")
        return restricted, head

    def _note_faults(self, faults: Sequence[str]) -> None:
        """Count what could not be read, which is reported to Stillwatch, and log some of it."""
        self._faults += len(faults)
        for fault in faults[:FAULTS_LOGGED]:
            logger.warning("A message of Stillwatch could not be read whole; update this client. %s", fault)

    def _now_known(self) -> None:
        self._known_at = time.monotonic()
        self._known.set()
        if self._on_change is not None:
            self._on_change(self.sequence)

    # What the gateway tells --------------------------------------------------------------------------------------

    def _note_refusal(self, decision: Decision) -> None:
        """Count it, and when it was first and last: the proof that the restriction is in force here."""
        now = time.time()
        counted = self._refusals.get(decision.number or 0)
        if counted is None:
            self._refusals[decision.number or 0] = [now, now, 1]
        else:
            counted[1] = now
            counted[2] += 1

    def _refusals_to_tell(self) -> list[dict[str, Any]]:
        told = list(self._refusals.items())[:REFUSALS_REPORTED]
        return [{"number": n, "first": first, "last": last, "count": count} for n, (first, last, count) in told]

    def _told(self, refusals: list[dict[str, Any]]) -> None:
        for one in refusals:
            counted = self._refusals.pop(one["number"])
            if more := counted[2] - one["count"]:
                self._refusals[one["number"]] = [counted[1], counted[1], more]

    # HTTP --------------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: str | None = None) -> HTTPResponse:
        if self._caller is None:
            made = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
            extra: dict[str, Any] = {"context": ssl.create_default_context()} if made is HTTPSConnection else {}
            self._caller = made(self._address.hostname or "", self._address.port, timeout=ANSWER_SECONDS, **extra)
        self._caller.request(method, self._address.path + path, body, self._headers | {"Accept-Encoding": "gzip"})
        answer = self._caller.getresponse()
        if answer.status != 200:
            answer.read()
            raise AnswerError(answer.status)
        return answer

    def _hang_up(self) -> None:
        if self._caller is not None:
            self._caller.close()
            self._caller = None


def _are_plain(names: Sequence[str]) -> bool:
    """Whether these names can be read, and in one way only, as nearly all: told faster together than one by one."""
    text = " ".join([*names, ""])  # after the kind of a blank name comes a space
    return "%" not in text and ": " not in text and text.isascii() and len(text) <= LONGEST_NAME


def _with_kind(name: str) -> tuple[str, str]:
    kind, _, value = name.partition(":")
    return kind, value


def _read(answer: HTTPResponse, most: int) -> bytes:
    body = answer.read(most + 1)
    if len(body) > most:
        raise BadMessageError("the message is too long")
    if answer.length:
        raise BadMessageError("the message was cut off")
    return body


def _inflated(body: bytes, encoding: str | None, most: int) -> bytes:
    if encoding != "gzip":
        return body
    inflater = zlib.decompressobj(31)
    inflated = inflater.decompress(body, most)
    if inflater.unconsumed_tail or not inflater.eof:
        raise BadMessageError("the message is too long, or was cut off")
    return inflated


def _receive(answer: HTTPResponse, file: Path, head: bytes) -> None:
    """Write a snapshot to a file as it comes in, so that it never is in memory as a whole."""
    source = gzip.GzipFile(fileobj=answer) if answer.getheader("Content-Encoding") == "gzip" else answer
    size = 0
    with file.open("wb") as out:
        out.write(head)
        while piece := source.read(PIECE):
            size += len(piece)
            if size > MOST_SNAPSHOT_BYTES:
                raise BadMessageError("the snapshot is too long")
            out.write(piece)
    answer.read()
