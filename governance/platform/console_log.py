"""What processes say goes to the console, one line each."""

from typing import Any


def log_to_console(level: str) -> dict[str, Any]:
    """Return the setting LOGGING for messages from this level on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "governance.web.logs.VisibleFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s %(of_request)s%(message)s",
                "defaults": {"of_request": ""},
            }
        },
        "filters": {
            "refusals": {"()": "governance.web.logs.WithoutTraceback"},
            "request": {"()": "governance.web.request_ids.WithRequestId"},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals", "request"]}
        },
        "root": {"handlers": ["console"], "level": level},
    }
