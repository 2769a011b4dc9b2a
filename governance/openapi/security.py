"""How those who call the API prove who they are, as the document says it."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from governance.web.authentication import ANY_SCOPE

SCHEMES: Final = {
    "serviceKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "swk_…",
        "description": "A service key, issued on /settings/keys/. Each operation names the scope that the key needs.",
    },
    "gatewayKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Stillwatch-Key",
        "description": "The same service key, where Authorization is the customer's.",
    },
    "partnerToken": {"type": "http", "scheme": "bearer", "description": "The token of a partner."},
    "partnerPassword": {
        "type": "http",
        "scheme": "basic",
        "description": "The token of a partner as a password, with any name of a user.",
    },
}


class ServiceKeyScheme(OpenApiAuthenticationExtension):
    """Every endpoint of REST framework, with the scope that its view names for the method."""

    target_class = "governance.web.authentication.ServiceKeyAuthentication"
    name = "serviceKey"

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        scope = str(getattr(auto_schema.view, "scopes", {})[auto_schema.method])
        return {self.name: [] if scope == ANY_SCOPE else [scope]}

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return SCHEMES["serviceKey"]
