"""`manage.py postgres PROGRAM …`: PostgreSQL's own programs, on this installation's database, as its owner."""

import argparse
import os
import shutil
import subprocess
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from governance.platform import embedded
from governance.platform.database_roles import as_owner

# The variables from which PostgreSQL's programs read where to connect, and what Django calls the same.
VARIABLES: Final = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
    "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert",
    "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey",
}


class Command(BaseCommand):
    help = (
        "Run a program of PostgreSQL, such as pg_dump, pg_restore or psql, with the arguments that follow, as owner "
        "of the tables. On the embedded servers it has their version. Others cannot read the files that it writes."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("program", help="pg_dump, pg_restore, psql, …")
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the program")

    def handle(self, *args: Any, **options: Any) -> None:
        places = os.environ.get("PATH", os.defpath)
        if settings.EMBEDDED:
            places = os.pathsep.join([str(embedded.programs(settings.DATA_DIR)), places])
        program = shutil.which(options["program"], path=places)
        if program is None:
            raise CommandError(f"There is no program {options['program']}: install PostgreSQL's client programs.")
        with as_owner():
            given = connection.get_connection_params()
        where = {variable: str(given[name]) for variable, name in VARIABLES.items() if given.get(name)}
        done = subprocess.run([program, *options["arguments"]], env=os.environ | where, umask=0o077, check=False)
        if done.returncode:
            raise SystemExit(done.returncode)
