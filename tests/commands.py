"""Management commands as a shell runs them."""

from io import StringIO
from typing import NamedTuple

from django.core.management import CommandError, call_command


class Ran(NamedTuple):
    """What a command wrote, and the status it ended with."""

    out: str
    err: str
    status: int


def run_command(*command: str) -> Ran:
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command(*command, stdout=out, stderr=err)
    except CommandError as error:
        err.write(f"CommandError: {error}\n")
        status = error.returncode
    return Ran(out.getvalue(), err.getvalue(), status)
