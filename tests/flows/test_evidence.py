"""From usage and a decision to a bundle of evidence, and to an outsider who verifies it with one package."""

import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AcceptedTerms, AccountLine
from governance.audit.models import Entry
from governance.audit.notes import format_key
from governance.audit.publishing import log_keys, publish
from governance.evidence.sealing import seal_usage
from governance.review.models import Case
from tests.evidence.days import YESTERDAY, use
from tests.evidence.outsiders import Outsider, make_outsider, unpack
from tests.factories import MACHINE, NOW, case, person
from tests.review.pages import address, block_form, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def outsider(tmp_path_factory: pytest.TempPathFactory) -> Outsider:
    return make_outsider(tmp_path_factory.mktemp("outsider"))


@pytest.fixture
def decided() -> Case:
    """An account that accepted the terms, used the model for three days, and was blocked."""
    harbour = AccountLine(
        account="acct_harbour",
        organisation="org_harbour",
        email_domain="harbour.example",
        created_at=NOW - timedelta(days=40),
        terms=AcceptedTerms(version="2026-03", accepted_at=NOW - timedelta(days=39)),
    )
    register_accounts([harbour], by=MACHINE, now=NOW - timedelta(days=4))
    for days in range(3):
        use("acct_harbour", 12, day=YESTERDAY - timedelta(days=days))
    use("acct_other", 3)
    seal_usage(now=NOW)
    opened = case(Account.objects.get(external_id="acct_harbour"))
    mira = signed_in(person("Mira Okafor"))
    assert mira.post(address(opened, "decide/"), block_form(note="Asked Jonas.")).status_code == 302
    return opened


def export(case: Case, target: Path, *options: str) -> str:
    said = StringIO()
    call_command("evidence", str(case.pk), "--out", str(target), *options, stdout=said)
    return said.getvalue()


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, (folder / name).read_text().splitlines())


def test_an_outsider_verifies_a_bundle_and_is_told_which_files_were_altered(
    decided: Case, outsider: Outsider, tmp_path: Path
) -> None:
    assert [outsider.has(name) for name in ("cryptography", "django", "governance")] == [True, False, False]
    said = export(decided, tmp_path / "bundle.zip")
    folder = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")

    done = outsider.verify(folder, *(format_key(key.verifier) for key in log_keys()))

    assert (done.returncode, done.stderr) == (0, "")
    assert "1 accounts and 12 usage events" in done.stdout
    exported = Entry.objects.get(verb="evidence.exported")
    assert exported.details["sha256"] in said
    assert str(exported.details["checkpoint"]) in done.stdout

    for name in ("report.html", "usage/events.ndjson"):
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"acct_harbour", b"acct_lagoons"))
    done = outsider.verify(folder)

    assert done.returncode == 1
    assert done.stderr == "NOT verified: report.html was altered.\nNOT verified: usage/events.ndjson was altered.\n"


def test_the_report_tells_the_story(decided: Case, tmp_path: Path) -> None:
    export(decided, tmp_path / "bundle.zip")
    folder = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")

    report = (folder / "report.html").read_text()

    for told in (
        "opened a case about account acct_harbour",
        "Mira Okafor decided on",
        "2026-03",
        "94 % of 2,310 prompts wrap a new payload",
        "148 of 175: 84.57 % (78.48–89.17)",
        "1 of 1,446: 0.07 % (0.01–0.39)",
        "Agreement of second reviewers: not measured yet.",
        "Notices to customers, appeals and blind second reviews are not recorded",
        "It holds no prompt and no answer.",
        str(YESTERDAY),
    ):
        assert told in report, told
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert "902(13)" in (folder / "certification.html").read_text()


def test_the_same_bytes_come_twice_though_each_export_is_an_entry(decided: Case, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"

    export(decided, first)
    publish(now=NOW + timedelta(days=1))
    export(decided, second)

    assert first.read_bytes() == second.read_bytes()
    assert Entry.objects.filter(verb="evidence.exported").count() == 2


def test_what_is_withheld_stays_provable(decided: Case, outsider: Outsider, tmp_path: Path) -> None:
    names = ("staff", "notes", "email_domain", "end_user")
    export(decided, tmp_path / "full.zip")
    export(decided, tmp_path / "redacted.zip", *(f"--redact={name}" for name in names))
    full, redacted = (unpack(tmp_path / f"{name}.zip", tmp_path / name) for name in ("full", "redacted"))

    held = b"".join(file.read_bytes() for file in sorted(redacted.rglob("*")) if file.is_file())
    for secret in (b"Mira Okafor", b"Asked Jonas.", b"harbour.example", b'"user_3"'):
        assert secret not in held, secret
    assert outsider.verify(redacted).returncode == 0

    for name in ("data/accounts.ndjson", "usage/events.ndjson", "log/entries.ndjson"):
        for shown, withheld in zip(lines(full, name), lines(redacted, name), strict=True):
            assert withheld["leaf"] == shown["leaf"]
            assert withheld["fields"].items() <= shown["fields"].items()
    assert "names and e-mail addresses of staff" in (redacted / "report.html").read_text()


def test_a_bundle_with_a_forged_entry_and_manifest_is_refused(
    decided: Case, outsider: Outsider, tmp_path: Path
) -> None:
    """Whoever has the bundle and no key of the log can make no other."""
    export(decided, tmp_path / "bundle.zip")
    folder = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "annex.json").write_text("{}")
    manifest["files"]["annex.json"] = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    (folder / "manifest.json").write_text(json.dumps(manifest))

    done = outsider.verify(folder)

    assert (done.returncode, done.stderr) == (1, "NOT verified: manifest.json was altered.\n")


def test_its_zip_says_nothing_of_when_and_where_it_was_made(decided: Case, tmp_path: Path) -> None:
    export(decided, tmp_path / "bundle.zip")

    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert (tmp_path / "bundle.zip").stat().st_mode & 0o777 == 0o600
