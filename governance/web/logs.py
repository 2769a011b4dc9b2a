"""How lines of the log are written."""

import logging

from governance.web.visible import visible_lines


class VisibleFormatter(logging.Formatter):
    """Writes out control characters and marks of direction, so that no name can drive a terminal or hide a line."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))
