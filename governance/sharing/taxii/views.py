"""The endpoints of TAXII 2.1 (sections 4 and 5). Each partner sees one collection, its own, and may only read it."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import JsonResponse
from django.urls import reverse

from governance.sharing.models import Partner, SharedObject
from governance.sharing.taxii.filters import find_objects
from governance.sharing.taxii.responses import (
    MEDIA_TYPE,
    STIX_MEDIA_TYPE,
    TaxiiError,
    TaxiiRequest,
    respond,
    taxii_view,
)

NOTHING: Final = "There is nothing at this address, or nothing for this partner."
LONGEST_REQUEST: Final = 1_048_576


@taxii_view
def discovery(_asked: TaxiiRequest) -> JsonResponse:
    root = f"{settings.PUBLIC_URL}{reverse('taxii:root')}"
    return respond({"title": f"Stillwatch, {settings.AUDIT_ORIGIN}", "default": root, "api_roots": [root]})


@taxii_view
def api_root(_asked: TaxiiRequest) -> JsonResponse:
    body = {"title": "Indicators of harvesters", "versions": [MEDIA_TYPE], "max_content_length": LONGEST_REQUEST}
    return respond(body)


@taxii_view
def collections(asked: TaxiiRequest) -> JsonResponse:
    return respond({"collections": [_collection(asked.partner)]})


@taxii_view
def collection(asked: TaxiiRequest, pk: UUID) -> JsonResponse:
    _check(asked.partner, pk)
    return respond(_collection(asked.partner))


@taxii_view
def objects(asked: TaxiiRequest, pk: UUID) -> JsonResponse:
    _check(asked.partner, pk)
    page = find_objects(asked.partner, asked.query)
    return respond(page.envelope("objects", [one.content for one in page.objects]), headers=page.headers)


@taxii_view
def one_object(asked: TaxiiRequest, pk: UUID, stix_id: str) -> JsonResponse:
    _check(asked.partner, pk, stix_id)
    page = find_objects(asked.partner, asked.query, stix_id=stix_id)
    return respond(page.envelope("objects", [one.content for one in page.objects]), headers=page.headers)


@taxii_view
def versions(asked: TaxiiRequest, pk: UUID, stix_id: str) -> JsonResponse:
    _check(asked.partner, pk, stix_id)
    page = find_objects(asked.partner, asked.query, stix_id=stix_id)
    return respond(page.envelope("versions", [one.version for one in page.objects]), headers=page.headers)


@taxii_view
def manifest(asked: TaxiiRequest, pk: UUID) -> JsonResponse:
    _check(asked.partner, pk)
    page = find_objects(asked.partner, asked.query)
    return respond(page.envelope("objects", [_record(one) for one in page.objects]), headers=page.headers)


@taxii_view
def nothing(_asked: TaxiiRequest, _rest: str) -> JsonResponse:
    """Any other address: refused like the rest to whom shows no token."""
    raise TaxiiError(HTTPStatus.NOT_FOUND, NOTHING)


def _collection(partner: Partner) -> dict[str, Any]:
    return {
        "id": str(partner.collection_id),
        "title": f"Released to {partner.name}",
        "can_read": True,
        "can_write": False,
        "media_types": [STIX_MEDIA_TYPE],
    }


def _check(partner: Partner, pk: UUID, stix_id: str = "") -> None:
    """Raise TaxiiError for the collection of somebody else, as for one that there is not."""
    if pk != partner.collection_id:
        raise TaxiiError(HTTPStatus.NOT_FOUND, NOTHING)
    if stix_id and not SharedObject.objects.filter(partner=partner, stix_id=stix_id).exists():
        raise TaxiiError(HTTPStatus.NOT_FOUND, NOTHING)


def _record(one: SharedObject) -> dict[str, str]:
    added = f"{one.added_at.isoformat(timespec='microseconds').removesuffix('+00:00')}Z"
    return {"id": one.stix_id, "date_added": added, "version": one.version, "media_type": STIX_MEDIA_TYPE}
