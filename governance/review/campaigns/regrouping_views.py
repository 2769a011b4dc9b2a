"""Split members off a campaign, and merge campaigns: with a reason, by hand."""

import uuid
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from governance.campaigns.models import Campaign
from governance.campaigns.regrouping import RegroupingError
from governance.review.campaign_merging import merge_with_cases, split_with_cases
from governance.review.campaigns.forms import MergeForm, SplitForm
from governance.review.campaigns.page import mergeable_campaigns
from governance.review.campaigns.views import campaign_with_case, render_campaign
from governance.staff.roles import WORK_CASES
from governance.web.counts import pluralize
from governance.web.requests import StaffRequest


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def split_off_members(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Lead to the new campaign of the ticked members."""
    form = SplitForm(request.POST)
    if form.is_valid():
        shown = get_object_or_404(Campaign, pk=pk)
        given, by, now = form.cleaned_data, request.user, timezone.now()
        try:
            new = split_with_cases(shown, given["accounts"], reason=given["split_because"], by=by, now=now)
        except RegroupingError as mistake:
            form.add_error("accounts", str(mistake))
        else:
            messages.success(request, f"{pluralize(new.size, 'account')} split off. This is their own campaign now.")
            return _go_to(request, new)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    shown, case = campaign_with_case(pk, None)
    return render_campaign(request, shown, case, status=status, split_form=form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(WORK_CASES, raise_exception=True)
def merge_into_campaign(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the members of another campaign into this one."""
    shown, form = get_object_or_404(Campaign, pk=pk), MergeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        other = Campaign.objects.filter(pk=form.cleaned_data["other"]).first() or shown
        reason = form.cleaned_data["merge_because"]
        try:
            merge_with_cases(shown, other, reason=reason, by=request.user, now=timezone.now())
        except RegroupingError as mistake:
            form.add_error("other", str(mistake))
        else:
            messages.success(request, "Merged. The accounts are searched and scored again now.")
            return _go_to(request, shown)
    context = {"campaign": shown, "form": form, "mergeable": mergeable_campaigns(shown)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "review/campaign/merge.html", context, status=status)


def _go_to(request: StaffRequest, shown: Campaign) -> HttpResponse:
    """Lead to the page of a campaign, with its own address."""
    place = reverse("review:campaign", args=[shown.pk])
    return HttpResponseClientRedirect(place) if request.htmx else redirect(place)
