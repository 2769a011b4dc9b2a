#!/usr/bin/env python3
"""Stillwatch's commands: `python manage.py help` lists them.

A command that needs the database finds it: where no DATABASE_URL is set, the embedded servers run for as long
as the command does, or it joins those of a running `manage.py up`.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError
from environs import EnvError
from psycopg.errors import UndefinedColumn, UndefinedTable

from governance.platform import embedded

# `doctor` is to find the servers as they are.
NEEDS_NO_DATABASE = {
    "check",
    "collectstatic",
    "doctor",
    "findstatic",
    "help",
    "makemigrations",
    "serve_check",
    "up",
    "version",
}


def servers_for(arguments: list[str]) -> AbstractContextManager[object]:
    """What has to run while this command does."""
    command = arguments[0] if arguments else "help"
    asks_only = command.startswith("-") or not {"-h", "--help"}.isdisjoint(arguments)
    if not settings.EMBEDDED or asks_only or command in NEEDS_NO_DATABASE:
        return nullcontext()
    return embedded.start(settings.DATA_DIR)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
    try:
        servers = servers_for(sys.argv[1:])
    except OSError as error:  # the settings keep this installation's secrets in the data folder
        sys.exit(f"stillwatch: {error.strerror}: {error.filename}")
    with servers:
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()  # so that a reader who has gone is met here
    except (embedded.ServersError, ImproperlyConfigured, EnvError) as error:
        sys.exit(f"stillwatch: {error}")
    except OperationalError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        sys.exit(f"stillwatch: PostgreSQL: {reason}")
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
            raise
        place = f"The database in {settings.DATA_DIR}" if settings.EMBEDDED else "The database of DATABASE_URL"
        which = "STILLWATCH_DATA" if settings.EMBEDDED else "DATABASE_URL"
        sys.exit(
            f"stillwatch: {place} has no Stillwatch tables, or those of an older version. Check {which}, then run "
            "`python manage.py migrate`."
        )
    except BrokenPipeError:  # what the output is piped into has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else flushing it at the end fails again
