"""What a line of the log holds."""

import logging
import sys

import pytest
from django.core.exceptions import PermissionDenied

from governance.web.logs import WithoutTraceback


def line_about(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except type(error):
        return logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Forbidden", None, sys.exc_info())


@pytest.mark.parametrize(("error", "has_traceback"), [(PermissionDenied(), False), (ValueError("unexpected"), True)])
def test_a_traceback_is_written_where_something_went_wrong_alone(error: Exception, *, has_traceback: bool) -> None:
    line = line_about(error)

    assert WithoutTraceback().filter(line)
    assert (line.exc_info is not None) is has_traceback
