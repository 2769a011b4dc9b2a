"""The people and machines that the pages list."""

from datetime import datetime

from django.db.models import Count, Q

from governance.staff.models import ServiceKey, StaffSession, User
from governance.staff.second_factor import with_second_factor


def list_users(*, at: datetime) -> list[User]:
    """Those who may sign in first, each with `open_sessions`, the number of their sessions, and `second_factor`."""
    is_open = Q(sessions__in=StaffSession.objects.open(at=at))
    users = User.objects.annotate(
        open_sessions=Count("sessions", filter=is_open), second_factor=with_second_factor("pk")
    )
    return list(users.order_by("-is_active", "name", "pk"))


def list_service_keys() -> list[ServiceKey]:
    """Those that are not revoked first, the newest first."""
    return list(ServiceKey.objects.defer("digest", "previous_digest").order_by("-revoked_at", "-created_at", "pk"))
