"""Verify a bundle of evidence: Python 3.11 or newer and the package `cryptography` are enough, without a network.

    python verify.py [FOLDER] [--key 'example.com+1a2b3c4d+AbCd…']

FOLDER is the unpacked bundle, by default the one that this file lies in. Give the key of the log as somebody you trust
told you; without it the key in the bundle is taken, which proves only that the bundle fits itself. Ends with status 1
and names every file that was altered, or the first record that does not fit.
"""

import os
import sys

if __name__ == "__main__":
    # Nothing may run that somebody has added: no bytecode beside the sources, which may be that of another source, and
    # no file of this folder that is named like a module of Python. Bytecode that we wrote would be an added file too.
    sys.dont_write_bytecode, sys.pycache_prefix = True, os.devnull
    sys.path.append(sys.path.pop(0))

import argparse
import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from governance.audit.commitments import commitment
from governance.audit.merkle import is_consistent, is_included
from governance.audit.stillwatch_verify import (
    ED25519,
    LogFaultError,
    SignedCheckpoint,
    VerifierKey,
    key_id,
    leaf_hash,
    open_checkpoint,
)

MANIFEST, SIGNED = "manifest.json", "manifest.note"
EVIDENCE = "evidence"  # the name of the log has this after it where its key signs a manifest
NOT_LISTED = {MANIFEST, SIGNED}


class BundleFaultError(Exception):
    """Each of `faults` is one thing that is wrong."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def canonical_json(value: object) -> bytes:
    """Write as RFC 8785 says. Members are sorted by UTF-16; bundles hold no fractions."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return b"{" + b",".join(canonical_json(name) + b":" + canonical_json(value[name]) for name in names) + b"}"
        case list():
            return b"[" + b",".join(map(canonical_json, value)) + b"]"
        case _:
            return json.dumps(value, ensure_ascii=False).encode()


def verify_bundle(folder: Path, trusted: Sequence[VerifierKey]) -> str:
    """Return what was verified, in a sentence. Raises BundleFaultError, OSError."""
    keys = list(trusted) or [VerifierKey.parse(line) for line in _text(folder, "log/keys.txt").splitlines()]
    files = check_files(folder, keys)
    checkpoint = _open(folder, "log/checkpoint", keys)
    check_stamped(folder, checkpoint, keys)
    entries = check_entries(folder, checkpoint)
    events = check_events(folder, entries)
    accounts = check_accounts(folder)
    return (
        f"Verified {files} files, {len(entries)} entries of the log {checkpoint.origin} as of {checkpoint.size}, "
        f"{accounts} accounts and {events} usage events."
    )


def check_files(folder: Path, keys: Sequence[VerifierKey]) -> int:
    """Compare every file with the manifest, and its hash with the signed one. Raises BundleFaultError."""
    written = (folder / MANIFEST).read_bytes()
    _check_signed(folder, hashlib.sha256(written).hexdigest(), keys)
    wanted: dict[str, str] = json.loads(written)["files"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    faults = [f"{name} is missing" for name in sorted(wanted.keys() - there)]
    faults += [f"{name} was added" for name in sorted(there - wanted.keys() - NOT_LISTED)]
    for name in sorted(wanted.keys() & there):
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted[name]:
            faults.append(f"{name} was altered")
    if faults:
        raise BundleFaultError(*faults)
    return len(wanted)


def _check_signed(folder: Path, digest: str, keys: Sequence[VerifierKey]) -> None:
    """The note is written as a checkpoint of another log, whose head is the hash of the manifest."""
    signed = _open(folder, SIGNED, [_evidence_key(key) for key in keys if key.kind == ED25519])
    if signed.root.hex() != digest:
        raise BundleFaultError(f"{MANIFEST} was altered")


def _evidence_key(key: VerifierKey) -> VerifierKey:
    name = f"{key.name}/{EVIDENCE}"
    return VerifierKey(name, key_id(name, ED25519, key.public_key), ED25519, key.public_key)


def _open(folder: Path, name: str, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
    try:
        return open_checkpoint(_text(folder, name), keys)
    except LogFaultError as fault:
        raise BundleFaultError(f"{name}: {fault}") from fault


def check_stamped(folder: Path, checkpoint: SignedCheckpoint, keys: Sequence[VerifierKey]) -> None:
    """That the checkpoint with a time stamp goes on from this one, or is the same."""
    if not (folder / "log/stamped-checkpoint").exists():
        return
    stamped = _open(folder, "log/stamped-checkpoint", keys)
    proof = _hashes(json.loads(_text(folder, "log/consistency.json")))
    if not is_consistent(checkpoint.size, stamped.size, checkpoint.root, stamped.root, proof):
        raise BundleFaultError("log/stamped-checkpoint does not go on from log/checkpoint")


def check_entries(folder: Path, checkpoint: SignedCheckpoint) -> dict[int, Mapping[str, Any]]:
    """Prove each entry, and compare its fields with their commitments. Return the entries by number."""
    entries: dict[int, Mapping[str, Any]] = {}
    for one in _lines(folder, "log/entries.ndjson"):
        number, leaf = one["number"], one["leaf"].encode()
        proof = [base64.b64decode(step, validate=True) for step in one["proof"]]
        if not is_included(leaf_hash(leaf), number - 1, checkpoint.size, proof, checkpoint.root):
            raise BundleFaultError(f"entry {number} is not in the log")
        check_commitments(one, f"entry {number}")
        entries[number] = one
    return entries


def check_events(folder: Path, entries: Mapping[int, Mapping[str, Any]]) -> int:
    """Prove each event: that it is one of its account's, and the account one of the day that an entry sealed."""
    number = 0
    for number, one in enumerate(_lines(folder, "usage/events.ndjson"), start=1):
        account, what = json.loads(one["account_leaf"]), f"usage event {number}"
        hashed, root = leaf_hash(one["leaf"].encode()), bytes.fromhex(account["root"])
        if not is_included(hashed, one["index"], account["events"], _hashes(one["proof"]), root):
            raise BundleFaultError(f"{what} is not one that was sealed")
        sealed = entries[one["sealed_by_entry"]]["fields"]
        day = bytes.fromhex(sealed["details.root"]["value"])
        of_account = leaf_hash(one["account_leaf"].encode())
        if sealed["subject"]["value"] != {"id": one["day"], "kind": "usage"} or not is_included(
            of_account, one["account_index"], one["accounts"], _hashes(one["account_proof"]), day
        ):
            raise BundleFaultError(f"{what} is not of a sealed day")
        check_commitments(one, what)
    return number


def check_accounts(folder: Path) -> int:
    """Compare what the register said of each account with its commitments. Return how many. Raises BundleFaultError."""
    number = 0
    for number, one in enumerate(_lines(folder, "data/accounts.ndjson"), start=1):
        check_commitments(one, f"account {one['account']}, line {number} of data/accounts.ndjson")
    return number


def check_commitments(record: Mapping[str, Any], what: str) -> None:
    """Compare the fields that are shown with the commitments of their leaf. Raises BundleFaultError."""
    committed = json.loads(record["leaf"])["commitments"]
    for name, field in record["fields"].items():
        if committed.get(name) != commitment(bytes.fromhex(field["salt"]), canonical_json(field["value"])):
            raise BundleFaultError(f"{name} of {what} is not what its leaf commits to")


def _hashes(written: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in written]


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text("utf-8")


def _lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with (folder / name).open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


def main() -> int:
    options = argparse.ArgumentParser(description="Verify a bundle of evidence.")
    options.add_argument("folder", type=Path, nargs="?", default=Path(__file__).resolve().parent)
    options.add_argument("--key", action="append", default=[], help="name+id+key; again for each key of the log")
    given = options.parse_args()
    try:
        said = verify_bundle(given.folder, [VerifierKey.parse(key) for key in given.key])
    except BundleFaultError as fault:
        sys.stderr.write("".join(f"NOT verified: {one}.\n" for one in fault.faults))
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"NOT verified: the bundle cannot be read: {type(error).__name__}: {error}.\n")
        return 1
    digest = hashlib.sha256((given.folder / MANIFEST).read_bytes()).hexdigest()
    sys.stdout.write(f"{said}\nSHA-256 of {MANIFEST}: {digest}\n")
    if not given.key:
        sys.stdout.write(
            "The key was taken from the bundle: compare log/keys.txt with one that you trust, or use --key.\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
