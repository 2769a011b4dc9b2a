"""The people and machines that the pages list."""

from governance.staff.models import ServiceKey, User


def list_users() -> list[User]:
    """Those who may sign in first."""
    return list(User.objects.order_by("-is_active", "name", "pk"))


def list_service_keys() -> list[ServiceKey]:
    """Those that are not revoked first, the newest first."""
    return list(ServiceKey.objects.defer("digest", "previous_digest").order_by("-revoked_at", "-created_at", "pk"))
