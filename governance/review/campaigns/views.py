"""The pages of campaigns: the list, one campaign, and the decision about its members, looked at before it is made."""

import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.campaigns.models import Campaign, CampaignMember
from governance.privacy.models import hold_reasons
from governance.review import actions
from governance.review.campaigns.at_gateways import count_at_gateways
from governance.review.campaigns.forms import (
    CampaignDecisionForm,
    CampaignListForm,
    MemberFilterForm,
    PreviewedField,
    SplitForm,
)
from governance.review.campaigns.page import CampaignDetail, campaign_context, find_case
from governance.review.campaigns.preview import CampaignDecisionPreview, preview_decision
from governance.review.campaigns.queries import find_campaigns
from governance.review.decision_wording import describe_targets
from governance.review.forms import NoteForm, UndoForm
from governance.review.models import SAID_BY, Case
from governance.review.verdicts import (
    LOST_RACES,
    DecidedSinceError,
    LeftOutWithoutReasonError,
    MembersLeftError,
    NoSuchScopeError,
    Ticks,
)
from governance.review.wording import outcome_word
from governance.review.work_context import LIST, remember_decision, work_context
from governance.staff.roles import ESCALATED_TO, VIEW_CASES, WORK_CASES
from governance.web.requests import StaffRequest

TEMPLATE = "review/campaign.html"
PARTS = {"case", "claim", "decide", "gateways", "history", "decision-progress", "work"}
REFUSED_TICKS = (NoSuchScopeError, LeftOutWithoutReasonError)


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def campaigns(request: StaffRequest) -> HttpResponse:
    form = CampaignListForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form.complaint)
    state = form.cleaned_data["state"] or "open"
    page = find_campaigns(state=state, after=form.cleaned_data["after"])
    context = {"form": form, "page": page, "state": state, "now": timezone.now()}
    return render(request, "review/campaigns.html", context)


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def campaign(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    form = MemberFilterForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form.complaint)
    shown, case = campaign_with_case(pk, form.cleaned_data["case"])
    return render_campaign(request, shown, case, filters=form)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def preview_campaign_decision(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what the decision would do; nothing is changed. With `back` the form again, as it was filled in."""
    case, form = _case(pk), CampaignDecisionForm(request.POST)
    if "back" in request.POST:
        return render_campaign(request, case.campaign, case, decision_form=form)
    ticks = _ticks(case, form)
    if ticks is None:
        return _invalid(request, case, form)
    try:
        found = preview_decision(case, form.verdict(), ticks, by=request.user, now=timezone.now())
    except REFUSED_TICKS as mistake:
        form.add_error(mistake.field, str(mistake))
        return _invalid(request, case, form)
    return _render_preview(request, case, form, found)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def make_campaign_decision(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case, form = _case(pk), CampaignDecisionForm(request.POST, is_preview=False)
    ticks, now = _ticks(case, form), timezone.now()
    if ticks is None:
        return _look_again(request, case, form)
    try:
        decision = actions.decide(
            case, form.verdict(), decision_id=form.cleaned_data["decision"], by=request.user, now=now, ticks=ticks
        )
    except LOST_RACES as lost:
        shown = _case(pk)
        return render_campaign(request, shown.campaign, shown, status=HTTPStatus.CONFLICT, lost=str(lost), unsent=form)
    except (MembersLeftError, DecidedSinceError) as since:
        return _preview_again(request, case, form, status=HTTPStatus.CONFLICT, lost=str(since))
    except REFUSED_TICKS as mistake:
        form.add_error(mistake.field, str(mistake))
        return _invalid(request, case, form)
    remember_decision(request, case, outcome_word(decision.action), now=now)
    messages.success(request, f"{describe_targets(decision)}: {outcome_word(decision.action)}.")
    return redirect(campaign_case_url(case))


def campaign_case_url(case: Case, listed: str = "") -> str:
    """The page of the case of a campaign. `listed` is the query of the list through which Next goes on from it."""
    query = {"case": case.pk} | ({LIST: listed} if listed else {})
    return f"{reverse('review:campaign', args=[case.campaign_id])}?{urlencode(query)}"


def render_campaign(
    request: StaffRequest,
    shown: Campaign | None,
    case: Case | None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    filters: MemberFilterForm | None = None,
    **special: Any,
) -> HttpResponse:
    """The page of a campaign, or the part of it that htmx asks for."""
    assert shown is not None  # noqa: S101 - a constraint says so
    chosen = _chosen(special.get("decision_form") or special.get("split_form"))
    # With ticks to keep, as many are listed as can be: the filter by which they were ticked is not known any more.
    filters = filters or MemberFilterForm({"long": "on"} if chosen is not None else {})
    detail = CampaignDetail(
        shown,
        case,
        now=timezone.now(),
        member_filter=filters.member_filter() if filters.is_valid() else None,
        chosen=chosen,
        others="others" in request.POST if chosen is not None else None,
    )
    forms = {
        "decision_form": CampaignDecisionForm(),
        "note_form": NoteForm(),
        "undo_form": UndoForm(),
        "split_form": SplitForm(),
    }
    context = campaign_context(detail) | forms | {"filters": filters}
    context |= work_context(request, case, now=timezone.now()) | special
    part = special.get("part") or request.htmx.target
    if part == "gateways" and detail.enforced is not None:
        context["gateways"] = count_at_gateways(detail.enforced.origin, now=detail.now)
    if not request.htmx or part not in PARTS:
        return HttpResponse(render_to_string(TEMPLATE, context, request), status=status)
    fragment = render_to_string(f"{TEMPLATE}#{part}", context, request)
    return HttpResponse(fragment + render_to_string("shell/toasts.html", {}, request), status=status)


def campaign_with_case(pk: uuid.UUID, wanted: uuid.UUID | None) -> tuple[Campaign, Case | None]:
    """The campaign with this case of it, or else its newest, if it ever had one. One query where it had."""
    case = find_case(pk, wanted)
    shown = case.campaign if case is not None else None
    held = Campaign.objects.annotate(hold_reasons=hold_reasons(campaign=OuterRef("pk")))
    return shown or get_object_or_404(held, pk=pk), case


def _case(pk: uuid.UUID) -> Case:
    in_full = Case.objects.select_related("campaign", "assessment", "claimed_by", *SAID_BY)
    return get_object_or_404(in_full, pk=pk, campaign__isnull=False)


def _ticks(case: Case, form: CampaignDecisionForm) -> Ticks | None:
    """Return which members are chosen; None where the form is not valid."""
    if not form.is_valid():
        return None
    others = frozenset[int]()
    if form.cleaned_data["others"]:
        members = CampaignMember.objects.current().filter(campaign=case.campaign_id, pk__lte=form.cleaned_data["seen"])
        others = frozenset(members.values_list("account", flat=True))
    return form.ticks(others)


def _chosen(form: CampaignDecisionForm | SplitForm | None) -> frozenset[int] | None:
    """What somebody has ticked in a form that is shown again."""
    if form is None or not form.is_bound:
        return None
    form.is_valid()
    return frozenset(form.cleaned_data.get("accounts", ()))


def _invalid(request: StaffRequest, case: Case, form: CampaignDecisionForm) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render_campaign(request, case.campaign, case, status=status, decision_form=form)


def _look_again(request: StaffRequest, case: Case, form: CampaignDecisionForm) -> HttpResponse:
    """The preview again, where only its confirmation is missing; else the page with what is wrong."""
    if set(form.errors) != {"confirmed"}:
        return _invalid(request, case, form)
    return _preview_again(request, case, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _preview_again(
    request: StaffRequest, case: Case, form: CampaignDecisionForm, *, status: HTTPStatus, lost: str = ""
) -> HttpResponse:
    """What the decision would do now, to be confirmed."""
    again = CampaignDecisionForm(request.POST)
    if (ticks := _ticks(case, again)) is None:
        return _invalid(request, case, again)
    try:
        found = preview_decision(case, again.verdict(), ticks, by=request.user, now=timezone.now())
    except REFUSED_TICKS as mistake:
        again.add_error(mistake.field, str(mistake))
        return _invalid(request, case, again)
    return _render_preview(request, case, form, found, verdict=again, status=status, lost=lost)


def _render_preview(
    request: StaffRequest,
    case: Case,
    form: CampaignDecisionForm,
    found: CampaignDecisionPreview,
    *,
    verdict: CampaignDecisionForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    lost: str = "",
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "lost": lost,
        "previewed": PreviewedField.sign(now),
        "case": case,
        "campaign": case.campaign,
        "form": form,
        "chosen": verdict or form,
        "preview": found,
        "escalated_to": ESCALATED_TO,
        "now": now,
    }
    context |= {"now": timezone.now(), "undo_minutes": settings.UNDO_MINUTES}
    return render(request, "review/campaign/preview.html", context, status=status)


def _unreadable(request: StaffRequest, complaint: str) -> HttpResponse:
    return render(request, "400.html", {"complaint": complaint}, status=HTTPStatus.BAD_REQUEST)
