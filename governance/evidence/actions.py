"""Export evidence. Every export is an entry of the audit log, with the hash of what was exported."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.evidence.bundle import Bundle, Progress, write_bundle
from governance.evidence.facts import written
from governance.evidence.models import EvidenceBundle
from governance.evidence.redaction import Redaction
from governance.evidence.scope import Scope
from governance.evidence.sealing import seal_usage
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.review.actions import read_excerpts
from governance.review.models import Case
from governance.staff.models import User

TASK: Final = "governance.tasks.make_evidence_bundles"


def export_evidence(
    case: Case,
    target: Path,
    *,
    redaction: Redaction,
    by: Actor,
    now: datetime,
    excerpts: Sequence[Mapping[str, str]] | None = None,
    reason: str = "",
    progress: Progress = lambda _done, _total: None,
    publishes: bool = True,
) -> Bundle:
    """Write the bundle of a case to a file, and record that. Days of usage that are over are sealed first.

    Raises NotPublishedError, LogFaultError if the log is not what was published, OSError.
    """
    seal_usage(now=now)
    scope = Scope(case, now=now, publishes=publishes)
    made = write_bundle(scope, target, redaction=redaction, excerpts=excerpts, progress=progress)
    try:
        _record_export(case, made, redaction, len(excerpts or ()), reason=reason, by=by, now=now)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return made


@retried_transaction
def _record_export(
    case: Case, made: Bundle, redaction: Redaction, excerpts: int, *, reason: str, by: Actor, now: datetime
) -> None:
    details = {
        "checkpoint": made.checkpoint,
        "sha256": made.sha256,
        "withheld_fields": sorted(redaction.names),
        "excerpts": excerpts,
        "accounts": made.accounts,
        **({"reason": reason} if reason else {}),
    }
    record(Verb.EVIDENCE_EXPORTED, subject=("case", str(case.pk)), by=by, now=now, details=details)


@retried_transaction
def request_bundle(
    case: Case, *, bundle_id: uuid.UUID, withheld_fields: Collection[str], excerpts_reason: str, by: User, now: datetime
) -> EvidenceBundle:
    """Have a worker make a bundle. Excerpts of prompts are in it only with a reason for reading them. The same id again
    asks only once.
    """
    bundle, is_new = EvidenceBundle.objects.get_or_create(
        pk=bundle_id,
        defaults={
            "case": case,
            "requested_at": now,
            "requested_by": by,
            "withheld": sorted(withheld_fields),
            "with_excerpts": bool(excerpts_reason),
            "reason": excerpts_reason,
        },
    )
    if is_new:
        enqueue_on_commit(TASK)
    return bundle


def make_bundle(bundle: EvidenceBundle, *, progress: Progress, now: datetime) -> Bundle:
    """Make a bundle that was asked for. Raises what `export_evidence` does."""
    seal_usage(now=now)
    Scope(bundle.case, now=now, publishes=False)  # where it has to wait, excerpts are not read in vain
    excerpts = None
    if bundle.with_excerpts:
        read = read_excerpts(bundle.case, reason=bundle.reason, by=bundle.requested_by, now=now)
        excerpts = [
            {"occurred_at": str(written(one.occurred_at)), "model": one.model, "text": one.text} for one in read
        ]
    return export_evidence(
        bundle.case,
        bundle.file,
        redaction=Redaction.of(bundle.withheld),
        by=bundle.requested_by.actor,
        now=now,
        excerpts=excerpts,
        reason=bundle.reason,
        progress=progress,
        publishes=False,  # the courier does, who has the folder
    )


@retried_transaction
def download(bundle: EvidenceBundle, *, by: User, now: datetime) -> bytes:
    """Return the zip, and record who took it. Raises OSError if it is not here."""
    content = bundle.file.read_bytes()
    subject = ("case", str(bundle.case_id))
    record(Verb.EVIDENCE_DOWNLOADED, subject=subject, by=by.actor, now=now, details={"sha256": bundle.sha256})
    return content
