"""A page by which a qualified person can certify a bundle, in the manner of the U.S. Federal Rules of Evidence. Pure.

Rules 902(13) and 902(14) let records made by an electronic process, and copies identified by their hashes, authenticate
themselves by a certificate. What it says of the process is filled in; what only the signer knows is blank.
"""

from collections.abc import Mapping
from typing import Any, Final

from governance.evidence.document import Block, Document, blank, heading, items, note, paragraph, say_time

_PROCESS: Final = (
    (
        "The records in log/ and data/ were made by Stillwatch in the ordinary course of its operation: usage is "
        "received from the gateways of the seller and scored by the calibrations in data/calibrations/. Every "
        "decision and every "
        "restriction is an entry of its audit log, recorded in the same transaction as its effect."
    ),
    (
        "The audit log is append-only. Its entries are leaves of a Merkle tree (RFC 6962), whose heads are signed "
        "with Ed25519 and published to a folder outside of the database once a minute (C2SP tlog-checkpoint)."
    ),
    (
        "Usage events of each day that is over are sealed by the head of a tree over all of them, which is an "
        "entry of the log."
    ),
)


def write_certification(facts: Mapping[str, Any]) -> Document:
    case, checkpoint = facts["case"], facts["checkpoint"]
    blocks: list[Block] = [
        note("A draft for a lawyer to complete. It is evidence of nothing until a qualified person has signed it."),
        paragraph(f"About the records of case {case['id']} ({case['about']} {case['subject']})."),
        heading("The signer"),
        *map(blank, ("Name", "Employer and position", "How the signer knows the system")),
        heading("Records made by an electronic process: Rule 902(13)"),
        items(_PROCESS),
        paragraph(
            f"These records are those of the first {checkpoint['size']:,} entries of the log "
            f"{checkpoint['origin']}, whose head was signed on {say_time(checkpoint['at'])}."
        ),
        blank("The system was in good order"),
        heading("Copies identified by their hashes: Rule 902(14)"),
        paragraph(
            "manifest.json holds the SHA-256 hash of every file of the bundle, and its own hash is signed with the "
            "key of "
            "the log. The signer has run verify.py on the bundle, and it found no difference."
        ),
        *map(blank, ("SHA-256 of manifest.json", "Verified on", "Version of Python and of cryptography")),
        heading("Declaration"),
        paragraph(
            "I declare under penalty of perjury under the laws of the United States of America that the foregoing "
            "is true "
            "and correct (28 U.S.C. § 1746)."
        ),
        *map(blank, ("Date and place", "Signature")),
    ]
    return Document("Certification of records", f"As of {say_time(facts['as_of'])}", blocks)
