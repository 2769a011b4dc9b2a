"""Authentication of machines: `Authorization: Bearer swk_…`, and the scope that an endpoint asks for."""

from typing import Final

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from governance.staff.actions import authenticate_service_key
from governance.staff.models import ServiceKey

UNUSABLE: Final = "Invalid or revoked service key."


class ServiceKeyAuthentication(BaseAuthentication):
    """Looked up by digest, so that no comparison takes longer the closer a guess comes."""

    def authenticate(self, request: Request) -> tuple[ServiceKey, ServiceKey] | None:
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        key = authenticate_service_key(secret.strip().decode("latin-1"), now=timezone.now())
        if key is None:
            raise AuthenticationFailed(UNUSABLE)
        return key, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="stillwatch"'


def acting_key(request: Request) -> ServiceKey:
    """The service key behind a request that `HoldsScope` has let through, if it is still usable.

    Ask for it once the body has been read, just before acting: a body may take long to arrive, and the key may have
    been revoked or have expired since its head came. Raises AuthenticationFailed.
    """
    key = request.auth
    if not isinstance(key, ServiceKey):
        raise NotAuthenticated
    if not ServiceKey.objects.usable(at=timezone.now()).filter(pk=key.pk).exists():
        raise AuthenticationFailed(UNUSABLE)
    return key


class HoldsScope(BasePermission):
    """Every endpoint names its scope (`scopes = {"GET": ..., "POST": ...}`); one that forgets is closed.

    HEAD needs what GET needs, and OPTIONS any scope of the endpoint.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        scopes = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            suitable = set(scopes.values())
        elif scopes and method not in scopes:
            raise MethodNotAllowed(str(request.method))
        else:
            suitable = {scopes[method]} if method in scopes else set()
        self.message = f"This needs a service key with the scope {' or '.join(sorted(suitable))}."
        return isinstance(request.auth, ServiceKey) and not suitable.isdisjoint(request.auth.scopes)
