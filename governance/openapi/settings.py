"""Settings of drf-spectacular."""

from typing import Final

SPECTACULAR_SETTINGS: Final = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Stillwatch",
    "VERSION": "1",
    "DESCRIPTION": (
        "Send usage, ask whether customers have access, restrict and lift, and read what was found and decided. Errors "
        "are problem details (RFC 9457). Members are added, never renamed: ignore those that you do not know."
    ),
    "POSTPROCESSING_HOOKS": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
