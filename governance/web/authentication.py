"""Authentication of machines: `Authorization: Bearer swk_…`, and the scope that an endpoint asks for."""

from ipaddress import ip_network
from typing import Final, NamedTuple

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from governance.staff.client_address import client_address, is_within
from governance.staff.models import ServiceKey
from governance.staff.secret_format import secret_digest
from governance.staff.service_keys import authenticate_service_key, find_service_key

UNUSABLE: Final = "Invalid or revoked service key."
UNUSABLE_HERE: Final = "This service key may not be used from this address."
# Instead of a scope: what any service key may read.
ANY_SCOPE: Final = "any"


class ShownKey(NamedTuple):
    """The service key behind a request, and the digest of the secret that was shown."""

    key: ServiceKey
    digest: bytes


class ServiceKeyAuthentication(BaseAuthentication):
    """Looked up by digest, so that no comparison takes longer the closer a guess comes."""

    def authenticate(self, request: Request) -> tuple[ServiceKey, ShownKey] | None:
        secret = _shown_secret(request)
        if secret is None:
            return None
        key = authenticate_service_key(secret, now=timezone.now())
        if key is None:
            raise AuthenticationFailed(UNUSABLE)
        if key.networks and not is_within(client_address(request), map(ip_network, key.networks)):
            raise AuthenticationFailed(UNUSABLE_HERE)
        return key, ShownKey(key, secret_digest(secret))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="stillwatch"'


def _shown_secret(request: Request) -> str | None:
    scheme, _, secret = get_authorization_header(request).partition(b" ")
    return secret.strip().decode("latin-1") if scheme.lower() == b"bearer" else None


def acting_key(request: Request) -> ServiceKey:
    """The service key behind a request that `HoldsScope` has let through, if its secret still works.

    Ask for it once the body has been read, just before acting: a body may take long to arrive, and the key may have
    been revoked or have expired since its head came. Raises AuthenticationFailed.
    """
    shown = request.auth
    if not isinstance(shown, ShownKey):
        raise NotAuthenticated
    key = find_service_key(shown.digest, now=timezone.now())
    if key is None:
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
        if ANY_SCOPE in suitable:
            return isinstance(request.auth, ShownKey)
        self.message = f"This needs a service key with the scope {' or '.join(sorted(suitable))}."
        return isinstance(request.auth, ShownKey) and not suitable.isdisjoint(request.auth.key.scopes)
