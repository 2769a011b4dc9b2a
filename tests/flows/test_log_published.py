"""From an act on a page to an outsider who verifies it: without Django, without this project, with one file."""

import shutil
import sysconfig
from importlib.metadata import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.core.management import call_command

from governance import tasks
from governance.audit.models import Entry
from governance.audit.stillwatch_verify import split_bundle
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from tests.audit.publishing import verify_outside
from tests.factories import account, case, person
from tests.flows.worker import running_worker
from tests.review.pages import address, block_form, signed_in
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NOTE: Final = "Lena of Harbour Labs said so."


@pytest.fixture
def outsiders(tmp_path: Path) -> tuple[Path, Path]:
    """What an outsider has: the program, and a folder with nothing but `cryptography` and what that needs."""
    program, modules = tmp_path / "stillwatch_verify.py", tmp_path / "modules"
    with program.open("w") as out:
        call_command("audit_verifier", stdout=out)
    modules.mkdir()
    for name in ("cryptography", "cffi"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, modules / name)
    for file in files("cffi") or []:
        if file.name.startswith("_cffi_backend"):
            shutil.copy(str(file.locate()), modules)
    assert sysconfig.get_paths()["purelib"] not in str(modules)
    return program, modules


def published_files() -> list[Path]:
    return [file for file in Path(settings.AUDIT_FOLDER).rglob("*") if file.is_file()]


def published() -> Path:
    """The bundle with the entries of the newest checkpoint, named by how many there are."""
    folder = Path(settings.AUDIT_FOLDER)
    return folder / "tile/entries/000.p" / (folder / "checkpoint").read_text().split("\n")[1]


def test_a_decision_is_verified_by_an_outsider_who_sees_no_names(outsiders: tuple[Path, Path], tmp_path: Path) -> None:
    program, modules = outsiders
    opened = case(account("acct_harbour"))
    mira = signed_in(person("Mira Okafor"))

    with running_worker(queues="celery,delivery"):
        call_command("publish_log")
        kept = tmp_path / "kept"
        shutil.copy(Path(settings.AUDIT_FOLDER) / "checkpoint", kept)
        assert mira.post(address(opened, "decide/"), block_form(note=NOTE)).status_code == 302
        decided = Entry.objects.get(verb="case.decided")
        tasks.publish_log.delay()  # as the timetable does every minute
        wait_until(lambda: int(published().name) >= decided.number, "the decision is published")

    assert Restriction.objects.exists()
    assert split_bundle(published().read_bytes())[decided.number - 1] == bytes(decided.leaf or b"")
    in_the_database = f"{decided.actor_name} {decided.subject_id} {decided.details}"
    for word in (str(opened.pk), "Mira Okafor", Reason.BULK_HARVEST.value, NOTE):
        assert word in in_the_database
        assert not [file for file in published_files() if word.encode() in file.read_bytes()]
    done = verify_outside(program=program, modules=modules, kept=[kept])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Verified {published().name} entries")

    forged = published()
    forged.write_bytes(forged.read_bytes().replace(b'"case.decided"', b'"case.resumed"'))
    done = verify_outside(program=program, modules=modules, kept=[kept])
    assert done.returncode == 1
    assert "is not the one that was published" in done.stderr


def test_the_outsider_can_import_nothing_else(outsiders: tuple[Path, Path], tmp_path: Path) -> None:
    _, modules = outsiders
    asking = tmp_path / "asking.py"
    asking.write_text(
        "import cryptography, importlib.util as u; print(u.find_spec('django'), u.find_spec('governance'))"
    )

    done = verify_outside(program=asking, modules=modules)

    assert (done.stdout, done.stderr) == ("None None\n", "")
