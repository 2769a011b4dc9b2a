"""Formatting of log lines."""

import logging

from django.core.exceptions import PermissionDenied, SuspiciousOperation

from governance.web.visible import escape_invisible_lines


class VisibleFormatter(logging.Formatter):
    """Writes out control characters and marks of direction, so that no name can drive a terminal or hide a line."""

    def format(self, record: logging.LogRecord) -> str:
        return escape_invisible_lines(super().format(record))


class WithoutTraceback(logging.Filter):
    """Drops the traceback of a request that was refused: nothing went wrong here."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied | SuspiciousOperation):
            record.exc_info = None
        return True
