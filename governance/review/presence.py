"""Who has a case open at the moment."""

from datetime import datetime

from governance.review.models import VIEWING, Case, CaseViewer
from governance.staff.models import User


def record_viewer(case: Case, *, user: User, now: datetime) -> None:
    """Record that a page of the case is open. Not in the log: it changes nothing, and pages say so all the time."""
    CaseViewer.objects.bulk_create(
        [CaseViewer(case=case, user=user, seen_at=now)],
        update_conflicts=True,
        unique_fields=["case", "user"],
        update_fields=["seen_at"],
    )


def other_viewers(case: Case, *, user: User, now: datetime) -> list[User]:
    """Return who else has the case open, the last who came first."""
    seen = CaseViewer.objects.filter(case=case, seen_at__gt=now - VIEWING).exclude(user=user)
    return [viewer.user for viewer in seen.select_related("user").order_by("-seen_at", "pk")[:5]]
