"""A bundle holds the time stamp of its checkpoint, or of the first later one, and OpenSSL verifies it as documented."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.audit.anchors import anchor
from governance.audit.models import Checkpoint
from governance.audit.publishing import log_keys, publish
from governance.audit.stillwatch_verify import open_checkpoint
from governance.evidence.actions import export_evidence
from governance.evidence.redaction import Redaction
from governance.evidence.verify import BundleFaultError, check_stamped, verify_bundle
from governance.review.models import Case
from tests.audit.publishing import publish_to
from tests.audit.time_stamps import make_authority, running_authority
from tests.evidence.outsiders import unpack
from tests.factories import MACHINE, NOW, case

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).parents[2] / "docs" / "evidence.md"


@pytest.fixture
def roots(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_FOLDER = tmp_path / "log"
    settings.AUDIT_TIMESTAMP_ROOTS = str(make_authority(tmp_path / "authority"))
    return Path(settings.AUDIT_TIMESTAMP_ROOTS)


def stamp(settings: Any, folder: Path) -> None:
    with running_authority(folder / "authority") as settings.AUDIT_TIMESTAMP_URL:
        anchor(now=NOW + timedelta(hours=1))


def bundle(opened: Case, folder: Path) -> Path:
    export_evidence(opened, folder / "bundle.zip", redaction=Redaction(), by=MACHINE, now=NOW)
    return unpack(folder / "bundle.zip", folder / "bundle")


def openssl_as_documented(folder: Path, roots: Path) -> str:
    (command,) = re.findall(r"^ +(openssl ts .*)$", DOCUMENT.read_text(), re.MULTILINE)
    words = command.replace("roots.pem", str(roots)).split()
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def test_of_the_checkpoint_itself(settings: Any, roots: Path, tmp_path: Path) -> None:
    opened = case()
    publish(now=NOW)
    stamp(settings, tmp_path)

    made = bundle(opened, tmp_path)

    assert "Verification: OK" in openssl_as_documented(made, roots)
    assert (made / "log/stamped-checkpoint").read_text() == (made / "log/checkpoint").read_text()
    verify_bundle(made, [key.verifier for key in log_keys()])


def test_of_a_later_checkpoint_that_goes_on_from_it(settings: Any, roots: Path, tmp_path: Path) -> None:
    opened = case()
    publish(now=NOW)
    publish_to(41)
    stamp(settings, tmp_path)

    made = bundle(opened, tmp_path)

    assert Checkpoint.objects.get(time_stamp__isnull=False).size == 41
    assert "\n1\n" in (made / "log/checkpoint").read_text()
    assert "\n41\n" in (made / "log/stamped-checkpoint").read_text()
    assert "Verification: OK" in openssl_as_documented(made, roots)
    verify_bundle(made, [key.verifier for key in log_keys()])


def test_of_a_checkpoint_that_does_not_go_on_from_it_is_refused(settings: Any, roots: Path, tmp_path: Path) -> None:
    opened = case()
    publish(now=NOW)
    publish_to(41)
    stamp(settings, tmp_path)
    made, keys = bundle(opened, tmp_path), [key.verifier for key in log_keys()]
    own = open_checkpoint((made / "log/checkpoint").read_text(), keys)
    check_stamped(made, own, keys)

    (made / "log/consistency.json").write_text("[]\n")

    with pytest.raises(BundleFaultError, match="stamped-checkpoint does not go on from"):
        check_stamped(made, own, keys)
    with pytest.raises(BundleFaultError, match=r"log/consistency\.json was altered"):
        verify_bundle(made, keys)


def test_none_where_no_authority_stamped_the_log(roots: Path, tmp_path: Path) -> None:
    opened = case()
    publish(now=NOW)

    made = bundle(opened, tmp_path)

    assert not (made / "log/time-stamp.tsr").exists()
    verify_bundle(made, [key.verifier for key in log_keys()])
