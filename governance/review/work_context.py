"""What pages of a case need beside the case itself: the list that it was opened from, and the forms of its work."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import QueryDict

from governance.review.models import Case
from governance.review.queue_forms import AssignForm, HoldForm, ReasonForm, clean_query
from governance.staff.roles import ESCALATED_TO
from governance.web.requests import StaffRequest, sending_page

LAST_DECIDED: Final = "last_decided"
# The query of a list in the address of a campaign's page.
LIST: Final = "list"


def work_context(request: StaffRequest, case: Case | None, *, now: datetime) -> dict[str, Any]:
    return {
        "hold_form": HoldForm(now=now),
        "assign_form": AssignForm(),
        "escalate_form": ReasonForm(missing="", auto_id="escalate"),
        "answer_form": ReasonForm(missing="", auto_id="answer"),
        "skip_form": ReasonForm(missing="", auto_id="skip"),
        "escalated_to": ESCALATED_TO,
        "is_held": case is not None and case.is_held(at=now),
        "address": clean_query(list_given(request)),
        "last_decided": last_decided(request, but=case, now=now),
    }


def list_given(request: StaffRequest) -> QueryDict:
    """Return the query of the list from which a case was opened: what the filters beside the case say, or the address
    of the case's page, which carries it on.
    """
    if request.method == "POST" and "view" in request.POST:
        given = request.POST.copy()
    elif request.method == "POST" and not request.GET:
        given = _list_in(sending_page(request))
    else:
        given = _list_in(request.get_full_path())
    if "after" in request.GET:
        given["after"] = request.GET["after"]
    return given


def _list_in(address: str) -> QueryDict:
    """A campaign's page has filters of its own, and carries the list as one value."""
    place = urlsplit(address)
    query = QueryDict(place.query, mutable=True)
    if place.path.startswith("/campaigns/"):
        return QueryDict(query.get(LIST, ""), mutable=True)
    return query


def remember_decision(request: StaffRequest, case: Case, outcome: str, *, now: datetime) -> None:
    """So that the next pages offer to undo it."""
    request.session[LAST_DECIDED] = {
        "case": str(case.pk),
        "account": case.subject,
        "outcome": outcome,
        "at": now.timestamp(),
    }


def forget_decision(request: StaffRequest, case: Case) -> None:
    """So that the next pages do not offer to undo what was undone."""
    last = request.session.get(LAST_DECIDED)
    if last is not None and last["case"] == str(case.pk):
        del request.session[LAST_DECIDED]


def last_decided(request: StaffRequest, *, but: Case | None, now: datetime) -> dict[str, Any] | None:
    """Return what the user decided last, on another case, while it can be undone."""
    last: dict[str, Any] | None = request.session.get(LAST_DECIDED)
    if (
        last is None
        or (but is not None and last["case"] == str(but.pk))
        or now.timestamp() - last["at"] > 60 * settings.UNDO_MINUTES
    ):
        return None
    return last
