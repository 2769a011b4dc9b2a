"""Make the bundles that were asked for, one after the other, and delete them when their time is over."""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import OperationalError
from django.db.models import F, Q

from governance.audit.stillwatch_verify import LogFaultError
from governance.evidence.actions import make_bundle
from governance.evidence.models import EvidenceBundle
from governance.evidence.scope import NotPublishedError
from governance.platform.locks import Lock, advisory_lock
from governance.privacy.models import is_held

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
FAILED: Final = f"It failed {MOST_ATTEMPTS} times. The log of the worker says why."

Clock = Callable[[], datetime]


def make_evidence_bundles(*, clock: Clock) -> None:
    """Make every bundle that waits, unless another process is doing so.

    A worker that is killed leaves the row waiting, and the next one begins the bundle again.
    """
    with advisory_lock(Lock.EVIDENCE_BUNDLE) as is_alone:
        while is_alone and (bundle := _next()) is not None:
            _make(bundle, clock())


def _next() -> EvidenceBundle | None:
    in_full = ("requested_by", "case__account", "case__campaign", "case__assessment")
    return EvidenceBundle.objects.waiting().select_related(*in_full).first()


def _make(bundle: EvidenceBundle, now: datetime) -> None:
    row = EvidenceBundle.objects.filter(pk=bundle.pk)
    if bundle.attempts >= MOST_ATTEMPTS:
        row.update(state=EvidenceBundle.State.FAILED, problem=FAILED)
        return
    row.update(attempts=F("attempts") + 1)
    try:
        made = make_bundle(bundle, progress=partial(_show_progress, bundle), now=now)
    except (NotPublishedError, LogFaultError, OSError) as error:
        row.update(state=EvidenceBundle.State.FAILED, problem=str(error)[:500])
    except OperationalError:
        raise  # PostgreSQL is away: the timetable tries again
    except Exception:  # noqa: BLE001 - whatever it is, other bundles are not kept waiting
        # No words of customers: only where it happened.
        logger.error("An evidence bundle was not made:\n%s", "".join(traceback.format_stack()[-3:]))  # noqa: TRY400
    else:
        row.update(
            state=EvidenceBundle.State.MADE, sha256=made.sha256, size_bytes=made.size, checkpoint=made.checkpoint
        )


def _show_progress(bundle: EvidenceBundle, done: int, total: int) -> None:
    EvidenceBundle.objects.filter(pk=bundle.pk).update(done=done, total=total)


def delete_old_bundles(*, now: datetime) -> int:
    """Delete bundles that are old, and those about accounts that were erased, but for those under a legal hold.

    Return how many. Each file goes before its row.
    """
    is_old = Q(requested_at__lt=now - timedelta(days=settings.EVIDENCE_DAYS))
    over = EvidenceBundle.objects.filter(is_old | Q(case__account__erased_on_request=True))
    bundles = list(over.filter(~is_held("case__account")))
    for bundle in bundles:
        bundle.file.unlink(missing_ok=True)
        bundle.delete()
    return len(bundles)
