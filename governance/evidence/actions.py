"""Export evidence. Every export is an entry of the audit log, with the hash of what was exported."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.evidence.bundle import Bundle, Progress, write_bundle
from governance.evidence.redaction import Redaction
from governance.evidence.scope import Scope
from governance.platform.transactions import retried_transaction
from governance.review.models import Case


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
) -> Bundle:
    """Write the bundle of a case to a file, and record that.

    Raises NotPublishedError, LogFaultError if the log is not what was published, OSError.
    """
    scope = Scope(case, now=now)
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
