"""The verifier finds a false record by its proof, not only by the hash of its file."""

import json
import py_compile
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from accounts.models import Account
from governance.audit.chain import canonical_json as written_by_the_log
from governance.audit.publishing import log_keys
from governance.audit.stillwatch_verify import VerifierKey, open_checkpoint
from governance.evidence.actions import export_evidence
from governance.evidence.redaction import Redaction
from governance.evidence.verify import (
    BundleFaultError,
    canonical_json,
    check_entries,
    check_events,
    check_files,
    verify_bundle,
)
from tests.evidence.days import use
from tests.evidence.outsiders import Outsider, make_outsider, unpack
from tests.factories import MACHINE, NOW, case

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def made(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A bundle with events of one account among three; made once, since tests change copies of it."""
    folder = tmp_path_factory.mktemp("made")
    with django_db_blocker.unblock(), transaction.atomic():
        for name in ("acct_a", "acct_harbour", "acct_z"):
            use(name, 5)
        opened = case(Account.objects.get(external_id="acct_harbour"))
        with override_settings(AUDIT_FOLDER=folder / "log"):  # no test's own, since it is made once for all
            export_evidence(opened, folder / "b.zip", redaction=Redaction(), by=MACHINE, now=NOW)
        yield unpack(folder / "b.zip", folder / "bundle")
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def outsider(tmp_path_factory: pytest.TempPathFactory) -> Outsider:
    return make_outsider(tmp_path_factory.mktemp("outsider"))


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "bundle")
    return tmp_path / "bundle"


def keys() -> list[VerifierKey]:
    return [key.verifier for key in log_keys()]


def change(file: Path, how: Change) -> None:
    """Change the first record of a file of lines."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    how(rows[0])
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def verify_records(bundle: Path) -> int:
    """What is left to find out once the files are those of the manifest."""
    checkpoint = open_checkpoint((bundle / "log/checkpoint").read_text(), keys())
    return check_events(bundle, check_entries(bundle, checkpoint))


def set_value(field: str, value: object) -> Change:
    return lambda row: row["fields"][field].update(value=value)


@pytest.mark.django_db
class TestTheRecords:
    def test_of_an_honest_bundle_are_proved(self, bundle: Path) -> None:
        assert verify_records(bundle) == 4
        assert verify_bundle(bundle, keys()).endswith("1 accounts and 4 usage events.")

    @pytest.mark.parametrize(
        ("how", "fault"),
        [
            (set_value("model", "mini-1"), "model of usage event 1 is not what its leaf commits to"),
            (set_value("tokens", {}), "tokens of usage event 1 is not what"),
            (lambda row: row.update(leaf=row["leaf"].replace("a", "b", 1)), "usage event 1 is not one that was sealed"),
            (lambda row: row.update(index=row["index"] + 1), "usage event 1 is not one that was sealed"),
            (lambda row: row.update(day="2026-10-01"), "usage event 1 is not of a sealed day"),
            (
                lambda row: row.update(account_leaf=row["account_leaf"].replace("acct_harbour", "acct_lagoons")),
                "usage event 1 is not of a sealed day",
            ),
            (lambda row: row["account_proof"].reverse(), "usage event 1 is not of a sealed day"),
        ],
    )
    def test_of_usage_are_found_false(self, bundle: Path, how: Change, fault: str) -> None:
        change(bundle / "usage/events.ndjson", how)

        with pytest.raises(BundleFaultError, match=fault):
            verify_records(bundle)

    @pytest.mark.parametrize(
        ("how", "fault"),
        [
            (set_value("subject", {"id": "1", "kind": "case"}), "subject of entry 1 is not what its leaf commits to"),
            (lambda row: row.update(leaf=row["leaf"].replace("number", "nummer")), "entry 1 is not in the log"),
            (lambda row: row.update(number=2), "entry 2 is not in the log"),
        ],
    )
    def test_of_the_log_are_found_false(self, bundle: Path, how: Change, fault: str) -> None:
        change(bundle / "log/entries.ndjson", how)

        with pytest.raises(BundleFaultError, match=fault):
            verify_records(bundle)

    def test_with_a_field_less_are_still_proved(self, bundle: Path) -> None:
        change(bundle / "usage/events.ndjson", lambda row: row["fields"].pop("end_user"))

        assert verify_records(bundle) == 4


@pytest.mark.django_db
class TestTheFiles:
    def test_that_are_missing_or_were_added_are_named(self, bundle: Path) -> None:
        (bundle / "annex.json").unlink()
        (bundle / "data/more.json").write_text("{}")

        with pytest.raises(BundleFaultError) as caught:
            check_files(bundle, keys())

        assert caught.value.faults == ("annex.json is missing", "data/more.json was added")

    def test_are_not_believed_by_another_key(self, bundle: Path) -> None:
        other = keys()[0]._replace(name="example.com")

        with pytest.raises(BundleFaultError, match="signed by none of the given keys"):
            check_files(bundle, [other])

    @pytest.mark.parametrize("name", ["data/__pycache__/confession.txt", "__pycache__/x", "verifier/__pycache__/y.pyc"])
    def test_that_were_added_are_named_wherever_they_lie(self, bundle: Path, name: str) -> None:
        (bundle / name).parent.mkdir()
        (bundle / name).write_text("It was me.")

        with pytest.raises(BundleFaultError) as caught:
            check_files(bundle, keys())

        assert caught.value.faults == (f"{name} was added",)

    def test_that_sign_others_are_named(self, bundle: Path) -> None:
        note = (bundle / "manifest.note").read_text()
        (bundle / "manifest.note").write_text(note.replace("/evidence", "/evidenze"))

        with pytest.raises(BundleFaultError, match=r"^manifest\.note: "):
            check_files(bundle, keys())


@pytest.mark.django_db
class TestAnOutsider:
    def test_verifies_twice_in_one_folder(self, bundle: Path, outsider: Outsider) -> None:
        before = set(bundle.rglob("*"))

        done = [outsider.verify(bundle) for _ in range(2)]

        assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
        assert set(bundle.rglob("*")) == before

    def test_is_not_deceived_by_bytecode_beside_unaltered_sources(
        self, bundle: Path, outsider: Outsider, tmp_path: Path
    ) -> None:
        (tmp_path / "false.py").write_text("import sys\nsys.exit(0)\n")
        name = f"verifier/__pycache__/merkle.{sys.implementation.cache_tag}.pyc"
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(tmp_path / "false.py"), str(bundle / name), invalidation_mode=unchecked, doraise=True)
        (bundle / "annex.json").write_text("{}")

        done = outsider.verify(bundle)

        assert done.returncode == 1
        assert done.stderr == f"NOT verified: {name} was added.\nNOT verified: annex.json was altered.\n"

    def test_is_not_deceived_by_a_file_named_like_a_module_of_python(self, bundle: Path, outsider: Outsider) -> None:
        (bundle / "argparse.py").write_text("import sys\nsys.exit(0)\n")

        done = outsider.verify(bundle)

        assert (done.returncode, done.stderr) == (1, "NOT verified: argparse.py was added.\n")


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": [None, True, "é\n\u2028\x1f"]},
        {"\U0001f600": 1, "\ufb33": 2, "z": {"y": -5}},
        '\x7f\\"/',
        2**53 - 1,
    ],
)
def test_the_verifier_writes_json_as_the_log_does(value: object) -> None:
    assert canonical_json(value) == written_by_the_log(value)
