"""Reading the TAXII 2.1 collections of partners, from where they were read last."""

import logging
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from governance.audit.actor import Actor
from governance.platform.encryption import DecryptionError, decrypt_secret
from governance.platform.outbound import OutboundClient, target_of
from governance.platform.outbound_errors import OutboundError
from governance.sharing.actions.indicators import ImportReport, PartnerNotSendingError, import_indicators
from governance.sharing.models import Partner
from governance.sharing.received import MOST_BYTES, UnreadableObjectsError
from governance.webhooks.addresses import AddressError, check_url, is_permitted

logger = logging.getLogger(__name__)

READER: Final = Actor.system("partners")
MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
SECONDS: Final = 30.0
PAGE: Final = 500
# What a collection holds beyond these pages is read the next time.
MOST_PAGES: Final = 20
LONGEST_PLACE: Final = 40


class _Envelope(msgspec.Struct):
    more: bool = False
    next: str | None = None


class CollectionError(Exception):
    """The collection of a partner cannot be read. The message says why."""


def read_collections(*, now: datetime) -> int:
    """Read the collection of every partner that sends and has one. Return how many could be read.

    What is wrong with one is shown on the page of partners, and does not keep the others from being read.
    """
    read = 0
    for partner in Partner.objects.usable(at=now).filter(sends=True).exclude(collection_url="").order_by("pk"):
        try:
            poll_collection(partner, now=now)
        except CollectionError as error:
            Partner.objects.filter(pk=partner.pk).update(trouble=str(error)[:300])
            logger.warning("The collection of the partner %s cannot be read.", partner.pk)
        else:
            read += 1
    return read


def poll_collection(partner: Partner, *, now: datetime) -> list[ImportReport]:
    """Take in what was added since it was read last. Raises CollectionError."""
    try:
        reports = []
        for body, newest in _pages(partner):
            reports.append(import_indicators(partner, body, by=READER, now=now))
            # As the collection wrote it: its next answer begins after what has been taken in.
            place = {"added_after": newest[:LONGEST_PLACE]} if newest else {}
            Partner.objects.filter(pk=partner.pk).update(read_at=now, trouble="", **place)
    except (AddressError, DecryptionError, PartnerNotSendingError, OutboundError, UnreadableObjectsError) as error:
        raise CollectionError(str(error)) from error
    return reports


def _pages(partner: Partner) -> Iterator[tuple[bytes, str]]:
    """Yield each page as it came, and when the newest object of it was added."""
    url = f"{partner.collection_url.rstrip('/')}/objects/"
    encrypted = urlsplit(url).scheme == "https"
    check_url(url)
    token = decrypt_secret(bytes(partner.collection_token)) if partner.collection_token else ""
    headers = {"Accept": MEDIA_TYPE, **({"Authorization": f"Bearer {token}"} if token else {})}
    query = {"limit": str(PAGE), **({"added_after": partner.added_after} if partner.added_after else {})}

    def is_allowed(address: str) -> bool:
        return is_permitted(address, encrypted=encrypted)

    with OutboundClient(url, seconds=SECONDS, most_bytes=MOST_BYTES, is_allowed=is_allowed) as client:
        for _ in range(MOST_PAGES):
            answer = client.request("GET", f"{target_of(url)}?{urlencode(query)}", headers=headers, is_repeatable=True)
            if answer.status != HTTPStatus.OK:
                raise CollectionError(f"It answered {answer.status}.")
            yield answer.body, answer.headers.get("X-TAXII-Date-Added-Last", "")
            try:
                envelope = msgspec.json.decode(answer.body, type=_Envelope)
            except msgspec.MsgspecError:
                raise CollectionError("Its answer is no TAXII envelope.") from None
            if not envelope.more or not envelope.next:
                return
            query["next"] = envelope.next
