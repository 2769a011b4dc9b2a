"""From usage and a decision to a bundle of evidence, and to an outsider who verifies it with one package."""

import hashlib
import json
import uuid
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AcceptedTerms, AccountLine
from governance.audit.models import Entry
from governance.audit.notes import format_key
from governance.audit.publishing import log_keys, publish
from governance.evidence.actions import request_bundle
from governance.evidence.models import EvidenceBundle
from governance.evidence.sealing import seal_usage
from governance.evidence.unfinished import make_evidence_bundles
from governance.gateways.models import Gateway, Refusal
from governance.restrictions.models import Restriction
from governance.review.models import Case
from governance.staff.roles import Role
from tests.evidence.days import YESTERDAY, use
from tests.evidence.outsiders import Outsider, make_outsider, unpack
from tests.factories import MACHINE, NOW, campaign_case, case, person
from tests.flows.worker import running_worker
from tests.review.pages import address, block_form, signed_in, text
from tests.waiting import wait_until

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


def test_a_bundle_asked_for_on_the_page_of_a_case_is_verified_by_an_outsider(
    decided: Case, outsider: Outsider, tmp_path: Path, settings: Settings
) -> None:
    settings.EVIDENCE_FOLDER = tmp_path / "evidence"
    jonas = signed_in(person("Jonas Lindqvist", role=Role.LEAD))
    page = f"/cases/{decided.pk}/evidence/"
    assert f'href="{page}"' in text(jonas.get(f"/cases/{decided.pk}/"))

    with running_worker(queues="celery,delivery"):
        assert jonas.post(page, {"bundle": str(uuid.uuid4()), "redact": ["staff", "ip"]}).status_code == 302
        wait_until(lambda: "Ready" in text(jonas.get(page)), "the bundle is ready")

    bundle = EvidenceBundle.objects.get()
    answer = jonas.post(f"/evidence/{bundle.pk}/download/")
    (tmp_path / "bundle.zip").write_bytes(answer.content)
    folder = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    done = outsider.verify(folder, *(format_key(key.verifier) for key in log_keys()))
    assert (done.returncode, done.stderr) == (0, "")
    exported, downloaded = Entry.objects.filter(verb__startswith="evidence.").oldest_first()
    assert exported.details["sha256"] == downloaded.details["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert exported.details["withheld_fields"] == ["ip", "staff"]


def test_excerpts_are_in_a_bundle_only_for_a_reason_and_marked(
    decided: Case, tmp_path: Path, settings: Settings
) -> None:
    settings.EVIDENCE_FOLDER = tmp_path / "evidence"
    asked = {"messages": [{"role": "user", "content": "Which tide comes after the flood?"}]}
    use("acct_harbour", 1, day=YESTERDAY, first=99, now=timezone.now(), **asked)
    jonas = person("Jonas Lindqvist", role=Role.LEAD)
    plain, with_excerpts = (
        request_bundle(
            decided, bundle_id=uuid.uuid4(), withheld_fields=(), excerpts_reason=reason, by=jonas, now=timezone.now()
        )
        for reason in ("", "Case 12/26.")
    )

    make_evidence_bundles(clock=timezone.now)  # which seals the day again
    publish(now=timezone.now())
    make_evidence_bundles(clock=timezone.now)

    folders = [unpack(one.file, tmp_path / str(one.pk)) for one in (plain, with_excerpts)]
    held = [b"".join(file.read_bytes() for file in one.rglob("*") if file.is_file()) for one in folders]
    assert b"Which tide" not in held[0]
    assert "Which tide comes after the flood?" in (folders[1] / "report.html").read_text()
    assert json.loads((folders[1] / "excerpts.json").read_text())["note"].startswith("Excerpts of prompts")
    [read] = Entry.objects.filter(verb="excerpts.read")
    assert (read.details["reason"], read.actor_name) == ("Case 12/26.", "Jonas Lindqvist")
    assert Entry.objects.filter(verb="evidence.exported").latest("number").details["reason"] == "Case 12/26."


def test_a_bundle_about_a_campaign_names_all_its_accounts(outsider: Outsider, tmp_path: Path) -> None:
    names = [f"acct_{number}" for number in range(30)]
    for name in names:
        use(name, 1)
    opened = campaign_case(*Account.objects.filter(external_id__in=names))

    export(opened, tmp_path / "bundle.zip")

    folder = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    assert outsider.verify(folder).returncode == 0
    assert {one["account"] for one in lines(folder, "data/accounts.ndjson")} == set(names)
    assert len(list(lines(folder, "usage/events.ndjson"))) == 20
    annex = json.loads((folder / "annex.json").read_text())
    assert {one["id"] for one in annex["frameworks"]} == {"AML.T0024.002", "AML.T0008.005", "LLM10:2025"}
    [network] = [one for one in annex["elements"] if one["code"] == "account_network_provider"]
    assert network["recorded"][0] == "30 accounts of 0 organisations were found to act as one."
    [identity] = [one for one in annex["elements"] if one["code"] == "accounts_under_false_identity"]
    assert identity["recorded"] == []
    assert identity["absent"].startswith("Nothing is recorded.")


def test_it_says_when_a_gateway_began_to_refuse(decided: Case, tmp_path: Path) -> None:
    made = Restriction.objects.get()
    edge = Gateway.objects.create(name="edge", created_at=NOW)
    first = made.starts_at + timedelta(seconds=2.5)
    Refusal.objects.create(gateway=edge, restriction=made, first_at=first, last_at=first, count=3)

    export(decided, tmp_path / "bundle.zip")

    folder = unpack(tmp_path / "bundle.zip", tmp_path / "b")
    [measured] = json.loads((folder / "data/case.json").read_text())["gateways"]
    assert (measured["gateway"], measured["refused"], measured["refused_after"]) == ("edge", 1, 2.5)
    assert "Gateway edge first refused a request because of it on" in (folder / "report.html").read_text()


@pytest.mark.long
def test_a_bundle_of_the_demonstration_is_refused_with_two_files_altered(
    outsider: Outsider, tmp_path: Path, settings: Settings
) -> None:
    settings.DEMO = "small"
    settings.DEMO_STAFF_FILE, settings.DEMO_GATEWAYS_FILE = tmp_path / "staff.json", tmp_path / "gateways.json"
    call_command("load_demo", stdout=StringIO())
    decided = Case.objects.exclude(account=None).filter(decisions__action="block").order_by("pk")[0]
    export(decided, tmp_path / "bundle.zip")
    folder = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    assert outsider.verify(folder).returncode == 0
    assert list(lines(folder, "usage/events.ndjson"))

    for name in ("data/case.json", "log/entries.ndjson"):
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")

    assert outsider.verify(folder).stderr == (
        "NOT verified: data/case.json was altered.\nNOT verified: log/entries.ndjson was altered.\n"
    )


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
