"""What a request for objects asks for: pages and filters of TAXII 2.1 (section 3.4 and 3.5)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet
from django.http import QueryDict

from governance.sharing.models import Partner, SharedObject
from governance.sharing.taxii.responses import TaxiiError

MOST_OBJECTS: Final = 500
MOST_MATCHES: Final = 200
_FILTERS: Final = ("match[id]", "match[type]", "match[version]", "match[spec_version]")
_KNOWN: Final = frozenset({"added_after", "limit", "next", *_FILTERS})
# Collections hold the newest version of each object and no other.
_NEWEST: Final = frozenset({"last", "all"})


class ObjectPage(NamedTuple):
    """`next_after` is where the next page begins, empty on the last."""

    objects: Sequence[SharedObject]
    next_after: str

    @property
    def headers(self) -> dict[str, str]:
        if not self.objects:
            return {}
        first, last = self.objects[0].added_at, self.objects[-1].added_at
        return {"X-TAXII-Date-Added-First": _text(first), "X-TAXII-Date-Added-Last": _text(last)}

    def envelope(self, name: str, items: Sequence[Any]) -> dict[str, Any]:
        """The items of the page, as `name`, with what leads to the next one; an object without members for none."""
        more = {"more": True, "next": self.next_after} if self.next_after else {}
        return {**more, name: list(items)} if items else {}


def find_objects(partner: Partner, query: QueryDict, *, stix_id: str = "") -> ObjectPage:
    """Return a page of what was released to the partner, in the order in which it was added. Raises TaxiiError."""
    if unknown := sorted(set(query) - _KNOWN):
        raise _bad(f"There is no parameter {ascii(unknown[0])[:60]}.")
    found = SharedObject.objects.filter(partner=partner).order_by("added_at", "pk")
    found = _matching(found, query)
    if stix_id:
        found = found.filter(stix_id=stix_id)
    if after := query.get("added_after"):
        found = found.filter(added_at__gt=_time(after, "added_after"))
    if place := query.get("next"):
        at, pk = _place(place)
        found = found.filter(Q(added_at__gt=at) | Q(added_at=at, pk__gt=pk))
    limit = _limit(query.get("limit"))
    page = list(found[: limit + 1])
    last = page[limit - 1] if len(page) > limit else None
    return ObjectPage(page[:limit], _next_after(last) if last else "")


def _matching(found: QuerySet[SharedObject], query: QueryDict) -> QuerySet[SharedObject]:
    ids, types, versions, specifications = (_values(query, name) for name in _FILTERS)
    if ids:
        found = found.filter(stix_id__in=ids)
    if types:
        found = found.filter(stix_type__in=types)
    if specifications and "2.1" not in specifications:
        return found.none()
    if not versions or not _NEWEST.isdisjoint(versions) or "first" in versions:
        return found
    at = [_time(one, "match[version]") for one in versions]
    # As STIX writes times: with as many decimals as it needs, and at least three.
    return found.filter(version__in=[text for one in at for text in (_text(one), _text(one, "milliseconds"))])


def _values(query: QueryDict, name: str) -> list[str]:
    values = [value for given in query.getlist(name) for value in given.split(",") if value]
    if len(values) > MOST_MATCHES:
        raise _bad(f"{name} takes at most {MOST_MATCHES} values.")
    return values


def _limit(given: str | None) -> int:
    if given is None:
        return MOST_OBJECTS
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given)):
        raise _bad("limit is a whole number, at least 1.")
    return min(int(given), MOST_OBJECTS)


def _time(given: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _bad(f"{name} is a time such as 2026-11-02T09:14:00.000000Z.")
    return at


def _next_after(row: SharedObject) -> str:
    return urlsafe_b64encode(f"{row.added_at.isoformat()} {row.pk}".encode()).decode().rstrip("=")


def _place(given: str) -> tuple[datetime, int]:
    try:
        at, _, pk = urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode("ascii").partition(" ")
        place = datetime.fromisoformat(at), int(pk)
    except ValueError:  # also of what is no Base64
        raise _bad("next is what the page before said.") from None
    if place[0].tzinfo is None or not 0 <= place[1] < 2**63:
        raise _bad("next is what the page before said.")
    return place


def _text(at: datetime, timespec: str = "microseconds") -> str:
    return f"{at.isoformat(timespec=timespec).removesuffix('+00:00')}Z"


def _bad(description: str) -> TaxiiError:
    return TaxiiError(HTTPStatus.BAD_REQUEST, description)
