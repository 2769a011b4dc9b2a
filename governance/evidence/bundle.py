"""Write a bundle of evidence: the same bytes for the same case, checkpoint and choices."""

import hashlib
import json
import re
import secrets
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.conf import settings

from governance.audit import commitments, merkle, stillwatch_verify
from governance.audit.notes import LogKey, sign_checkpoint
from governance.evidence import verify
from governance.evidence.annex import make_annex
from governance.evidence.certification import write_certification
from governance.evidence.facts import gather_facts, iter_accounts, iter_restrictions
from governance.evidence.method import calibration_files
from governance.evidence.redaction import Redaction
from governance.evidence.rendering import STYLES, to_html, to_pdf
from governance.evidence.samples import sample_events
from governance.evidence.scope import Scope
from governance.evidence.segment import iter_entries, iter_time_stamp_files, public_keys, signed_head
from governance.evidence.wording import write_report

# What the verifier of a bundle shares with this project, put beside it under another name.
SHARED: Final = (commitments, merkle, stillwatch_verify)
VERIFIER: Final = "verifier"
DRAFT: Final = ".evidence-draft-"
LINES_A_STEP: Final = 1_000
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # what a zip can say
READ_ME: Final = """Evidence about one case, made by Stillwatch.

report.html, report.pdf   what happened, in plain words
certification.*           a page by which a qualified person can certify these records
data/, usage/, log/       the records, each with its proof; annex.json: by elements that bills on distillation name
verify.py                 python verify.py checks all of it; it needs Python 3.11 and the package cryptography
manifest.json             the SHA-256 hash of every file; manifest.note signs it
"""

# How many steps are done, of how many.
Progress = Callable[[int, int], None]


class Bundle(NamedTuple):
    """A bundle that was written: the hash and the size of its zip, and as of which checkpoint it speaks."""

    sha256: str
    size: int
    checkpoint: int
    accounts: int


class BundleFolder:
    """The files of a bundle before they are zipped, with their hashes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hashes: dict[str, str] = {}

    def add(self, name: str, content: str | bytes) -> None:
        self.add_parts(name, [content.encode() if isinstance(content, str) else content])

    def add_json(self, name: str, value: object) -> None:
        self.add(name, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")

    def add_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add a file with a JSON object on each line."""
        self.add_parts(name, (json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in rows))

    def add_parts(self, name: str, parts: Iterable[bytes]) -> None:
        file, hashed = self.path / name, hashlib.sha256()
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            for part in parts:
                hashed.update(part)
                out.write(part)
        self.hashes[name] = hashed.hexdigest()


def write_bundle(
    scope: Scope,
    target: Path,
    *,
    redaction: Redaction,
    excerpts: Sequence[Mapping[str, str]] | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Bundle:
    """Write the bundle to a file, as a whole or not at all.

    Raises LogFaultError if the log is not what was published, OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=DRAFT) as draft:
        folder = BundleFolder(Path(draft) / "bundle")
        _fill(folder, scope, redaction, excerpts, progress)
        _sign(folder, scope)
        made = Path(draft) / f"{secrets.token_hex(8)}.zip"
        _zip(folder, made)
        made.chmod(0o600)
        made.replace(target)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Bundle(digest, target.stat().st_size, scope.checkpoint.size, len(scope.accounts))


def _fill(
    folder: BundleFolder,
    scope: Scope,
    redaction: Redaction,
    excerpts: Sequence[Mapping[str, str]] | None,
    progress: Progress,
) -> None:
    entries = scope.entries.filter(number__lte=scope.checkpoint.size).count()
    steps = _Steps(progress, entries + len(scope.accounts) + 1)
    facts = gather_facts(scope, redaction)
    folder.add_json("data/case.json", facts)
    folder.add_lines("data/accounts.ndjson", steps.count(iter_accounts(scope, redaction)))
    folder.add_lines("data/restrictions.ndjson", iter_restrictions(scope, redaction))
    for version, content in calibration_files(facts["method"]["calibrations"]).items():
        folder.add(f"data/calibrations/{re.sub(r'[^A-Za-z0-9._-]', '_', version)}.toml", content)
    folder.add_lines("usage/events.ndjson", sample_events(scope, redaction))
    folder.add_lines("log/entries.ndjson", steps.count(iter_entries(scope, redaction)))
    folder.add("log/checkpoint", signed_head(scope.checkpoint))
    folder.add("log/keys.txt", public_keys())
    for name, stamped in iter_time_stamp_files(scope.checkpoint):
        folder.add(name, stamped)
    folder.add_json("annex.json", make_annex(facts))
    if excerpts is not None:
        marked = (
            "Excerpts of prompts: a customer's own words, sampled, encrypted until now, shown for a recorded reason."
        )
        folder.add_json("excerpts.json", {"note": marked, "excerpts": excerpts})
    _add_documents(folder, facts, excerpts, made_at=scope.as_of)
    folder.add("README.txt", READ_ME)
    _add_verifier(folder)
    steps.finish()


class _Steps:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._done, self._total = progress, 0, total
        progress(0, total)

    def count(self, rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        for row in rows:
            yield row
            self._done += 1
            if self._done % LINES_A_STEP == 0:
                self._progress(self._done, self._total)

    def finish(self) -> None:
        self._progress(self._total, self._total)


def _add_documents(
    folder: BundleFolder,
    facts: Mapping[str, Any],
    excerpts: Sequence[Mapping[str, str]] | None,
    *,
    made_at: datetime,
) -> None:
    folder.add("report.css", STYLES.read_bytes())
    for name, document in (
        ("report", write_report(facts, excerpts)),
        ("certification", write_certification(facts)),
    ):
        folder.add(f"{name}.html", to_html(document))
        folder.add(f"{name}.pdf", to_pdf(document, made_at=made_at))


def _add_verifier(folder: BundleFolder) -> None:
    """Add the verifier, and the modules of this project that it needs, which need nothing else of it."""
    for module, name in ((verify, "verify"), *((one, f"{VERIFIER}/{_last(one.__name__)}") for one in SHARED)):
        source = Path(str(module.__file__)).read_text("utf-8")
        folder.add(f"{name}.py", source.replace("from governance.audit.", f"from {VERIFIER}."))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _sign(folder: BundleFolder, scope: Scope) -> None:
    """List the hash of every file, and sign the list with the keys of the log."""
    folder.add_json(verify.MANIFEST, {"case": str(scope.case.pk), "files": dict(folder.hashes), "hash": "SHA-256"})
    digest = bytes.fromhex(folder.hashes[verify.MANIFEST])
    keys = [LogKey(f"{scope.origin}/{verify.EVIDENCE}", seed) for seed in settings.AUDIT_KEYS]
    folder.add(verify.SIGNED, sign_checkpoint(scope.checkpoint.size, digest, keys))


def _zip(folder: BundleFolder, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(folder.hashes):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            info.file_size = (folder.path / name).stat().st_size
            with (folder.path / name).open("rb") as source, archive.open(info, "w") as out:
                while part := source.read(1 << 20):
                    out.write(part)
