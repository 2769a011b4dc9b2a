"""A file with secrets that others may read is refused, in one line that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from environs import Env

from governance.platform.installation_secrets import (
    LOG_KEYS,
    add_key,
    get_or_create_secrets,
    read_keys,
    read_private,
)
from governance.staff.actions import ensure_demo_staff
from tests.factories import MACHINE, NOW

WORLD_READABLE = (0o644, 0o640, 0o604, 0o620, 0o666, 0o610)


class TestASecretsFile:
    def test_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        made = get_or_create_secrets(tmp_path)

        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
        assert get_or_create_secrets(tmp_path) == made

    def test_with_the_keys_of_the_log_gets_a_new_one_before_the_old_one(self, tmp_path: Path) -> None:
        [first] = read_keys(LOG_KEYS, Env(), tmp_path)

        second, *others = add_key(LOG_KEYS, tmp_path)

        assert others == [first]
        assert read_keys(LOG_KEYS, Env(), tmp_path) == [second, first]
        assert (tmp_path / "audit-keys").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("mode", WORLD_READABLE)
    def test_with_the_keys_of_the_log_that_others_can_read_is_refused(self, tmp_path: Path, mode: int) -> None:
        read_keys(LOG_KEYS, Env(), tmp_path)
        (tmp_path / "audit-keys").chmod(mode)

        with pytest.raises(PermissionError, match="chmod 600"):
            read_keys(LOG_KEYS, Env(), tmp_path)

    @pytest.mark.parametrize("mode", WORLD_READABLE)
    def test_that_others_can_read_is_refused(self, tmp_path: Path, mode: int) -> None:
        get_or_create_secrets(tmp_path)
        (tmp_path / "secrets.json").chmod(mode)

        with pytest.raises(PermissionError, match="chmod 600"):
            get_or_create_secrets(tmp_path)

    def test_that_others_can_read_stops_every_command_with_one_line(self, tmp_path: Path) -> None:
        get_or_create_secrets(tmp_path)
        (tmp_path / "secrets.json").chmod(0o644)
        own = {"DATABASE_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE"}
        environment = {name: value for name, value in os.environ.items() if name not in own}

        for command in ("up", "audit_verify"):
            done = subprocess.run(
                [sys.executable, "manage.py", command],
                cwd=settings.BASE_DIR,
                env=environment | {"STILLWATCH_DATA": str(tmp_path)},
                capture_output=True,
                text=True,
                check=False,
            )

            assert done.returncode == 1
            assert "chmod 600" in done.stderr
            assert len(done.stderr.strip().splitlines()) == 1

    @pytest.mark.django_db
    def test_of_the_demonstration_is_refused_too(self, tmp_path: Path) -> None:
        file = tmp_path / "demo-staff.json"
        ensure_demo_staff(file, by=MACHINE, now=NOW)
        assert read_private(file)
        file.chmod(0o644)

        with pytest.raises(PermissionError, match="chmod 600"):
            ensure_demo_staff(file, by=MACHINE, now=NOW)
