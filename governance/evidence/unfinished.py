"""Make the bundles that were asked for, one after the other, and delete them when their time is over."""

import logging
import shutil
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import OperationalError
from django.db.models import F

from governance.audit.stillwatch_verify import LogFaultError
from governance.evidence.actions import make_bundle
from governance.evidence.bundle import DRAFT
from governance.evidence.models import EvidenceBundle
from governance.evidence.scope import NotPublishedError, NotYetPublishedError
from governance.platform.locks import Lock, advisory_lock
from governance.platform.notifications import enqueue_on_commit
from governance.privacy.holds import cover_held_accounts

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
# How long the log may take to be published.
PATIENCE: Final = timedelta(minutes=10)
# What a worker that was killed has left behind.
OLD_DRAFT: Final = timedelta(days=1)
FAILED: Final = f"It failed {MOST_ATTEMPTS} times. The log of the worker says why."

Clock = Callable[[], datetime]


def make_evidence_bundles(*, clock: Clock) -> None:
    """Make every bundle that waits, unless another process is doing so.

    A worker that is killed leaves the row waiting, and the next one begins the bundle again.
    """
    in_full = ("requested_by", "case__account", "case__campaign", "case__assessment")
    with advisory_lock(Lock.EVIDENCE_BUNDLE) as is_alone:
        for bundle in EvidenceBundle.objects.waiting().select_related(*in_full) if is_alone else ():
            _make(bundle, clock())


def _make(bundle: EvidenceBundle, now: datetime) -> None:
    row = EvidenceBundle.objects.filter(pk=bundle.pk)
    if bundle.attempts >= MOST_ATTEMPTS:  # workers were killed at it
        row.update(state=EvidenceBundle.State.FAILED, problem=FAILED)
        return
    row.update(attempts=F("attempts") + 1)
    try:
        made = make_bundle(bundle, progress=partial(_show_progress, bundle), now=now)
    except NotYetPublishedError as error:
        is_patient = now - bundle.requested_at < PATIENCE
        row.update(attempts=0) if is_patient else row.update(state=EvidenceBundle.State.FAILED, problem=str(error))
        enqueue_on_commit("governance.tasks.publish_log")
    except (NotPublishedError, LogFaultError, OSError) as error:
        row.update(state=EvidenceBundle.State.FAILED, problem=str(error)[:500])
    except OperationalError:
        raise  # PostgreSQL is away: the timetable tries again
    except Exception as error:  # noqa: BLE001 - whatever it is, other bundles are not kept waiting
        # Where it happened, and not its message, which may hold the words of a customer.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("An evidence bundle was not made: %s\n%s", type(error).__name__, where)  # noqa: TRY400
        if bundle.attempts + 1 >= MOST_ATTEMPTS:
            row.update(state=EvidenceBundle.State.FAILED, problem=FAILED)
    else:
        row.update(
            state=EvidenceBundle.State.MADE, sha256=made.sha256, size_bytes=made.size, checkpoint=made.checkpoint
        )


def _show_progress(bundle: EvidenceBundle, done: int, total: int) -> None:
    EvidenceBundle.objects.filter(pk=bundle.pk).update(done=done, total=total)


def delete_old_bundles(*, now: datetime) -> int:
    """Delete bundles that are old, and those about people who were erased, but for those under a legal hold.

    Return how many. Each file goes before its row.
    """
    cover_held_accounts(now=now)
    bundles = EvidenceBundle.objects
    old = bundles.filter(requested_at__lt=now - timedelta(days=settings.EVIDENCE_DAYS))
    over = list((old | bundles.about_erased()).exclude(pk__in=bundles.held().values("pk")))
    for bundle in over:
        bundle.file.unlink(missing_ok=True)
        bundle.delete()
    for draft in Path(settings.EVIDENCE_FOLDER).glob(f"{DRAFT}*"):
        if draft.stat().st_mtime < (now - OLD_DRAFT).timestamp():
            shutil.rmtree(draft, ignore_errors=True)
    return len(over)
