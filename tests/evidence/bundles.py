"""Ask for a bundle on the page of a case, and let a worker make it."""

import uuid

from governance.audit.publishing import publish
from governance.evidence.models import EvidenceBundle
from governance.evidence.unfinished import make_evidence_bundles
from governance.review.models import Case
from tests.factories import NOW


def page_of(opened: Case) -> str:
    return f"/cases/{opened.pk}/evidence/"


def asked(**members: str) -> dict[str, str]:
    return {"bundle": str(uuid.uuid4()), **members}


def make() -> EvidenceBundle:
    publish(now=NOW)
    make_evidence_bundles(clock=lambda: NOW)
    return EvidenceBundle.objects.get()
