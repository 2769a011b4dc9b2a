"""A witness as C2SP tlog-witness describes it, written for the tests, with no line of Stillwatch in it.

    python -m tests.audit.witness STATE PORT LOG_KEY

STATE is a file that keeps the newest head it has signed.
"""

import base64
import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME = "witness.example/w1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the witness of the tests").digest())
PUBLIC = b"\x04" + PRIVATE.public_key().public_bytes_raw()
KEY_ID = hashlib.sha256(NAME.encode() + b"\n" + PUBLIC).digest()[:4]
KEY = f"{NAME}+{KEY_ID.hex()}+{base64.b64encode(PUBLIC).decode()}"


class RefusedError(Exception):
    def __init__(self, status: int, body: str = "", kind: str = "text/plain") -> None:
        self.status, self.body, self.kind = status, body, kind


def pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def follow(old: int, new: int, proof: list[bytes], head: bytes | None) -> tuple[bytes, bytes]:
    """The heads of both trees, by the recursion of RFC 6962, section 2.1.2, read backwards."""
    if old == new:
        known = head if head is not None else proof.pop()
        return known, known
    middle = 1
    while middle * 2 < new:
        middle *= 2
    beside = proof.pop()
    if old <= middle:
        before, after = follow(old, middle, proof, head)
        return before, pair(after, beside)
    before, after = follow(old - middle, new - middle, proof, None)
    return pair(beside, before), pair(beside, after)


class Witness(BaseHTTPRequestHandler):
    state: Path
    log_key: str

    def do_POST(self) -> None:
        try:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = RefusedError(200, self.sign(body))
        except RefusedError as refused:
            answer = refused
        content = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def sign(self, body: str) -> str:
        if self.path != "/add-checkpoint":
            raise RefusedError(404)
        asked, _, note = body.partition("\n\n")
        first, *steps = asked.split("\n")
        old, proof = int(first.removeprefix("old ")), [base64.b64decode(step) for step in steps]
        text, _, signatures = note.rpartition("\n\n")
        text += "\n"
        origin, size, root = text.split("\n")[0], int(text.split("\n")[1]), base64.b64decode(text.split("\n")[2])
        self.check_signature(origin, text, signatures)
        known: dict[str, Any] = json.loads(self.state.read_text()) if self.state.exists() else {"size": 0, "root": ""}
        if old > size:
            raise RefusedError(400)
        if old != known["size"]:
            raise RefusedError(409, f"{known['size']}\n", "text/x.tlog.size")
        if old == size and root.hex() != known["root"]:
            raise RefusedError(409)
        if 0 < old < size:
            try:
                heads = follow(old, size, proof, bytes.fromhex(known["root"]))
            except IndexError:
                raise RefusedError(422) from None
            if proof or heads != (bytes.fromhex(known["root"]), root):
                raise RefusedError(422)
        self.state.write_text(json.dumps({"size": size, "root": root.hex()}))
        at = int(time.time())
        signed = PRIVATE.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return f"— {NAME} {base64.b64encode(KEY_ID + at.to_bytes(8, 'big') + signed).decode()}\n"

    def check_signature(self, origin: str, text: str, signatures: str) -> None:
        name, _, key = self.log_key.split("+", 2)
        if origin != name:
            raise RefusedError(404)
        public = base64.b64decode(key)
        own_id = hashlib.sha256(f"{name}\n".encode() + public).digest()[:4]
        for line in signatures.splitlines():
            _, by, encoded = line.split(" ")
            signature = base64.b64decode(encoded)
            if by == name and signature[:4] == own_id:
                try:
                    Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature[4:], text.encode())
                    return
                except InvalidSignature:
                    pass
        raise RefusedError(403)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    Witness.state, Witness.log_key = Path(sys.argv[1]), sys.argv[3]
    HTTPServer(("127.0.0.1", int(sys.argv[2])), Witness).serve_forever()
