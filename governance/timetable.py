"""When each task of governance/tasks.py runs."""

from datetime import timedelta
from typing import Any, Final


def _every(
    schedule: float | timedelta, task: str, *, expires: int | None = None, queue: str | None = None
) -> dict[str, Any]:
    """An entry of Celery's beat schedule; `expires`, in seconds, drops what a backlog would let pile up."""
    options = {name: value for name, value in (("expires", expires), ("queue", queue)) if value is not None}
    return {"task": f"governance.tasks.{task}", "schedule": schedule, "options": options}


# Tasks that wait for servers of others, or for a disk that may be one of a network.
WAITING_FOR_OTHERS: Final = (
    *("deliver_restrictions", "deliver_webhook", "compare_gateways", "probe_gateways"),
    *("publish_log", "anchor_log", "read_collections"),
)
# Clocks may differ by seconds: so nothing that is waited for expires sooner than after half a minute.
TIMETABLE: Final = {
    "score-dirty-accounts": _every(2.0, "score_dirty_accounts", expires=30),
    "rescore-changed-licences": _every(60.0, "rescore_changed_licences", expires=60),
    "end-expired-restrictions": _every(30.0, "end_expired_restrictions", expires=30),
    "cover-new-names": _every(30.0, "cover_new_names", expires=30),
    "deliver-restrictions": _every(10.0, "deliver_restrictions", expires=10),
    "compare-gateways": _every(60.0, "compare_gateways", expires=60),
    "probe-gateways": _every(30.0, "probe_gateways", expires=30),
    "apply-policies": _every(15.0, "apply_policies", expires=30),
    "apply-unfinished-decisions": _every(10.0, "apply_unfinished_decisions", expires=30),
    "apply-bulk-decisions": _every(10.0, "apply_bulk_decisions", expires=30),
    "heartbeat-of-worker": {**_every(2.0, "record_heartbeat", expires=30), "args": ["celery"]},
    "heartbeat-of-courier": {**_every(2.0, "record_heartbeat", expires=30, queue="delivery"), "args": ["delivery"]},
    "prepare-partitions": _every(timedelta(hours=6), "prepare_partitions"),
    "drop-old-usage": _every(timedelta(hours=1), "drop_old_usage"),
    "make-evidence-bundles": _every(10.0, "make_evidence_bundles", expires=30),
    "delete-old-bundles": _every(timedelta(hours=1), "delete_old_bundles", expires=3600),
    "seal-usage": _every(timedelta(minutes=15), "seal_usage", expires=900),
    "record-stranger-failures": _every(timedelta(minutes=15), "record_stranger_failures"),
    "publish-log": _every(60.0, "publish_log", expires=60),
    "anchor-log": _every(60.0, "anchor_log", expires=60),
    "measure-overview": _every(timedelta(minutes=5), "measure_overview", expires=300),
    "read-collections": _every(timedelta(hours=1), "read_collections", expires=3_600),
    "match-indicators": _every(timedelta(minutes=5), "match_indicators", expires=300),
    "count-let-in": _every(60.0, "count_let_in", expires=60),
    "delete-expired-rows": _every(timedelta(hours=6), "delete_expired_rows"),
    "apply-retention": _every(timedelta(hours=6), "apply_retention"),
    "continue-erasures": _every(60.0, "continue_erasures", expires=60),
    "delete-expired-excerpts": _every(timedelta(hours=1), "delete_expired_excerpts"),
}
