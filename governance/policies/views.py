"""The pages of policies: proposing one, comparing it with what staff decided, letting it go live, the kill switch."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.policies.caps import HourlyCap
from governance.policies.forms import EXAMPLE, LiveForm, ProposalForm, SwitchForm
from governance.policies.kill_switch import resume_policies, stop_policies
from governance.policies.models import KillSwitch, PolicyVersion
from governance.policies.queries import compare_with_staff, get_reach
from governance.policies.rules import PolicyError
from governance.policies.versions import NotAllowedError, TooEarlyError, earliest_live_at, go_live, propose, retire
from governance.staff.roles import APPROVE_POLICIES, PROPOSE_POLICIES, SWITCH_POLICIES, VIEW_POLICIES
from governance.web.requests import StaffRequest

PAGE = "policies:policies"


@never_cache
@require_safe
@permission_required(VIEW_POLICIES, raise_exception=True)
def policies(request: StaffRequest) -> HttpResponse:
    return _render_page(request)


@require_POST
@permission_required(PROPOSE_POLICIES, raise_exception=True)
def propose_policy(request: StaffRequest) -> HttpResponse:
    form = ProposalForm(request.POST)
    if form.is_valid():
        try:
            policy = propose(form.cleaned_data["content"], by=request.user, now=timezone.now())
        except PolicyError as error:
            form.add_error("content", str(error))
        else:
            messages.success(request, f"{policy} is in shadow mode.")
            return redirect(PAGE)
    return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(APPROVE_POLICIES, raise_exception=True)
def go_live_page(request: StaffRequest, pk: int) -> HttpResponse:
    """Show which accounts the policy would restrict now, and let it go live."""
    policy = get_object_or_404(PolicyVersion.objects.select_related("proposed_by"), pk=pk)
    if request.method != "POST":
        return _before_live(request, policy, LiveForm())
    form = LiveForm(request.POST)
    if not form.is_valid():
        return _before_live(request, policy, form)
    try:
        go_live(policy, by=request.user, now=timezone.now(), early_because=form.cleaned_data["why"])
    except TooEarlyError as error:
        form.add_error("why", str(error))
        return _before_live(request, policy, form)
    except NotAllowedError as error:
        return _render_page(request, status=HTTPStatus.CONFLICT, trouble=str(error))
    messages.success(request, f"{policy} is live.")
    return redirect(PAGE)


def _before_live(request: StaffRequest, policy: PolicyVersion, form: LiveForm) -> HttpResponse:
    now = timezone.now()
    context = {
        "policy": policy,
        "reach": get_reach(policy, now=now),
        "live_from": earliest_live_at(policy),
        "is_early": now < earliest_live_at(policy),
        "shadow_hours": settings.AUTOMATIC_SHADOW_HOURS,
        "accounts_most": settings.AUTOMATIC_ACCOUNTS_AN_HOUR,
        "traffic_most": settings.AUTOMATIC_TRAFFIC_PERCENT,
        "form": form,
        "now": now,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "policies/live.html", context, status=status)


@require_POST
@permission_required(PROPOSE_POLICIES, raise_exception=True)
def retire_policy(request: StaffRequest, pk: int) -> HttpResponse:
    retire(get_object_or_404(PolicyVersion, pk=pk), by=request.user, now=timezone.now())
    return redirect(PAGE)


@require_POST
@permission_required(SWITCH_POLICIES, raise_exception=True)
def switch_policies_off(request: StaffRequest) -> HttpResponse:
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, switch_form=form)
    stop_policies(why=form.cleaned_data["why"], by=request.user, now=timezone.now())
    messages.success(request, "Policies are switched off.")
    return redirect(PAGE)


@require_POST
@permission_required(SWITCH_POLICIES, raise_exception=True)
def switch_policies_on(request: StaffRequest) -> HttpResponse:
    resume_policies(by=request.user, now=timezone.now())
    return redirect(PAGE)


def _render_page(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    now = timezone.now()
    cap = HourlyCap.at(now)
    context = {
        "policies": compare_with_staff(now=now),
        "switch": KillSwitch.objects.first(),
        "accounts_restricted": cap.restricted,
        "accounts_most": settings.AUTOMATIC_ACCOUNTS_AN_HOUR,
        "traffic_share": cap.share,
        "traffic_most": settings.AUTOMATIC_TRAFFIC_PERCENT,
        "form": ProposalForm(),
        "example": EXAMPLE,
        "switch_form": SwitchForm(),
        "now": now,
    }
    return render(request, "policies/policies.html", context | special, status=status)
