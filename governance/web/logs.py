"""How lines of the log are written."""

import logging

from django.core.exceptions import PermissionDenied

from governance.web.visible import escape_invisible_lines


class VisibleFormatter(logging.Formatter):
    """Writes out control characters and marks of direction, so that no name can drive a terminal or hide a line."""

    def format(self, record: logging.LogRecord) -> str:
        return escape_invisible_lines(super().format(record))


class WithoutTraceback(logging.Filter):
    """Takes the traceback from the line about a page that somebody may not see: nothing went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied):
            record.exc_info = None
        return True
