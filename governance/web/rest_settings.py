"""Settings of REST framework: who may call the API, how often, and what it reads and writes."""

from typing import Final

REST_FRAMEWORK: Final = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["governance.web.authentication.ServiceKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["governance.web.authentication.HoldsScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["governance.web.parsing.BoundedJsonParser"],
    "DEFAULT_METADATA_CLASS": "governance.web.methods.ScopesMetadata",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["governance.web.rate_limits.KeyRateThrottle"],
    "EXCEPTION_HANDLER": "governance.web.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    # ASCII with escapes: an error may repeat what was sent, and half a character cannot be written otherwise.
    "UNICODE_JSON": False,
}
