"""The pages of partners, and of sharing a campaign with one."""

import uuid
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.campaigns.models import Campaign
from governance.platform.encryption import DecryptionError
from governance.sharing.actions.partners import (
    PartnerChangeError,
    PartnerSecrets,
    Source,
    add_partner,
    change_key,
    replace_token,
    revoke_partner,
)
from governance.sharing.actions.shares import (
    ShareError,
    decline_share,
    propose_share,
    release_share,
    retract_share,
)
from governance.sharing.forms import KeyForm, PartnerForm, ReasonForm, ShareTargetForm
from governance.sharing.models import Partner, Share, Tlp
from governance.sharing.queries import (
    SharePreview,
    count_matches,
    list_indicators,
    list_open_proposals,
    list_partners,
    list_receivers,
    list_shares,
    list_shares_of_let_in,
    list_shares_of_partner,
    list_values,
    preview_share,
)
from governance.staff.roles import APPROVE_SHARES, CHANGE_PARTNERS, PROPOSE_SHARES, VIEW_PARTNERS, VIEW_SHARES
from governance.web.requests import StaffRequest

SHOWN = 50


@never_cache
@require_safe
@permission_required(VIEW_PARTNERS, raise_exception=True)
def partners(request: StaffRequest) -> HttpResponse:
    return _render_partners(request, PartnerForm(initial={"receives": True, "sends": True}))


@never_cache
@require_POST
@permission_required([VIEW_PARTNERS, CHANGE_PARTNERS], raise_exception=True)
def add(request: StaffRequest) -> HttpResponse:
    """Add a partner. Its token and the shared key are on this one answer, and nowhere again."""
    form, now = PartnerForm(request.POST), timezone.now()
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = add_partner(
                given["name"],
                receives=given["receives"],
                sends=given["sends"],
                tlp=Tlp(given["tlp"]),
                key=given["shared_key"],
                expires_at=now + timedelta(days=given["days"]) if given["days"] else None,
                source=Source(given["collection_url"], given["collection_token"]),
                by=request.user.actor,
                now=now,
            )
        except PartnerChangeError as mistake:
            form.add_error("name", str(mistake))
        else:
            return _render_partner(request, made.partner, secrets=made)
    return _render_partners(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@never_cache
@require_safe
@permission_required(VIEW_PARTNERS, raise_exception=True)
def partner(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return _render_partner(request, get_object_or_404(Partner, pk=pk))


@never_cache
@require_POST
@permission_required([VIEW_PARTNERS, CHANGE_PARTNERS], raise_exception=True)
def new_token(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Partner, pk=pk)
    try:
        made = replace_token(found, by=request.user.actor, now=timezone.now())
    except (PartnerChangeError, DecryptionError) as refused:
        return _render_partner(request, found, status=HTTPStatus.CONFLICT, trouble=str(refused))
    return _render_partner(request, made.partner, secrets=made._replace(key=None))


@never_cache
@require_POST
@permission_required([VIEW_PARTNERS, CHANGE_PARTNERS], raise_exception=True)
def new_key(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    found, form = get_object_or_404(Partner, pk=pk), KeyForm(request.POST)
    if not form.is_valid():
        return _render_partner(request, found, status=HTTPStatus.UNPROCESSABLE_ENTITY, key_form=form)
    try:
        made = change_key(found, key=form.cleaned_data["shared_key"], by=request.user.actor, now=timezone.now())
    except PartnerChangeError as refused:
        form.add_error("shared_key", str(refused))
        return _render_partner(request, found, status=HTTPStatus.CONFLICT, key_form=form)
    return _render_partner(request, made.partner, secrets=made)


@require_POST
@permission_required([VIEW_PARTNERS, CHANGE_PARTNERS], raise_exception=True)
def revoke(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Partner, pk=pk)
    is_revoked = revoke_partner(found, by=request.user.actor, now=timezone.now())
    messages.success(request, f"{found.name}: {'revoked' if is_revoked else 'was revoked already'}.")
    return redirect("sharing:partner", pk=pk)


@never_cache
@require_safe
@permission_required(VIEW_SHARES, raise_exception=True)
def campaign_shares(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What of a campaign would leave to a partner, and what has left."""
    campaign, now = get_object_or_404(Campaign, pk=pk), timezone.now()
    target = ShareTargetForm(request.GET, receivers=list_receivers(now=now))
    if not target.is_valid():
        return render(request, "400.html", {"complaint": target.complaint}, status=HTTPStatus.BAD_REQUEST)
    return _render_campaign(request, campaign, target)


@require_POST
@permission_required([VIEW_SHARES, PROPOSE_SHARES], raise_exception=True)
def propose(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    campaign, now = get_object_or_404(Campaign, pk=pk), timezone.now()
    target, form = ShareTargetForm(request.POST, receivers=list_receivers(now=now)), ReasonForm(request.POST)
    if not target.is_valid() or not target.cleaned_data["partner"] or not target.cleaned_data["tlp"]:
        complaint = target.complaint or "Choose a partner and a marking."
        return render(request, "400.html", {"complaint": complaint}, status=HTTPStatus.BAD_REQUEST)
    if not form.is_valid():
        return _render_campaign(request, campaign, target, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    to, tlp, reason = target.cleaned_data["partner"], Tlp(target.cleaned_data["tlp"]), form.cleaned_data["reason"]
    try:
        share = propose_share(campaign, to, tlp=tlp, reason=reason, by=request.user, now=now)
    except (ShareError, DecryptionError) as refused:
        status, trouble = HTTPStatus.CONFLICT, str(refused)
        return _render_campaign(request, campaign, target, form=form, status=status, trouble=trouble)
    messages.success(request, "Proposed. Nothing leaves until another person approves it.")
    return redirect("sharing:share", pk=share.pk)


@never_cache
@require_safe
@permission_required(VIEW_SHARES, raise_exception=True)
def share(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return _render_share(request, pk)


@require_POST
@permission_required([VIEW_SHARES, APPROVE_SHARES], raise_exception=True)
def approve(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Release what another person proposed."""
    found = get_object_or_404(Share, pk=pk)
    try:
        released = release_share(found, by=request.user, now=timezone.now())
    except (ShareError, DecryptionError) as refused:
        return _render_share(request, pk, status=HTTPStatus.CONFLICT, trouble=str(refused))
    messages.success(request, f"Released: {released.partner.name} can read it now.")
    return redirect("sharing:share", pk=pk)


@require_POST
@permission_required([VIEW_SHARES, PROPOSE_SHARES], raise_exception=True)
def decline(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Share, pk=pk)
    try:
        decline_share(found, by=request.user, now=timezone.now())
    except ShareError as refused:
        return _render_share(request, pk, status=HTTPStatus.CONFLICT, trouble=str(refused))
    messages.success(request, "Declined: nothing of it left.")
    return redirect("sharing:share", pk=pk)


@require_POST
@permission_required([VIEW_SHARES, PROPOSE_SHARES], raise_exception=True)
def retract(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Take back what was released: one person is enough, as it undoes."""
    found, form = get_object_or_404(Share, pk=pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _render_share(request, pk, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    try:
        retracted = retract_share(found, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    except ShareError as refused:
        return _render_share(request, pk, status=HTTPStatus.CONFLICT, form=form, trouble=str(refused))
    messages.success(request, f"Retracted: {retracted.partner.name} reads that it counts no more.")
    return redirect("sharing:share", pk=pk)


def _render_partners(request: StaffRequest, form: PartnerForm, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    now = timezone.now()
    shares = {"proposals": list_open_proposals(), "of_let_in": list_shares_of_let_in()}
    context = {"partners": list_partners(now=now), "form": form, "now": now} | shares
    return render(request, "sharing/partners.html", context, status=status)


def _render_partner(
    request: StaffRequest,
    shown: Partner,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    secrets: PartnerSecrets | None = None,
    **special: Any,
) -> HttpResponse:
    """The page of a partner. Secrets are on the one answer that makes them."""
    now = timezone.now()
    context = {
        "partner": shown,
        "secrets": secrets,
        "key_form": KeyForm(),
        "is_usable": shown.is_usable(at=now),
        "matches": count_matches(shown),
        "indicators": list_indicators(shown, most=SHOWN),
        "shares": list_shares_of_partner(shown, most=SHOWN),
        "discovery": request.build_absolute_uri("/taxii2/"),
        "now": now,
    }
    return render(request, "sharing/partner.html", context | special, status=status)


def _render_campaign(
    request: StaffRequest,
    campaign: Campaign,
    target: ShareTargetForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    trouble: str = "",
    form: ReasonForm | None = None,
) -> HttpResponse:
    now, to = timezone.now(), target.cleaned_data["partner"]
    preview: SharePreview | None = None
    tlp = Tlp(target.cleaned_data["tlp"] or (to.tlp if to else Tlp.AMBER))
    if to is not None:
        try:
            preview = preview_share(campaign, to, tlp=tlp, now=now)
        except DecryptionError as error:
            trouble, status = str(error), HTTPStatus.CONFLICT
    context = {
        "campaign": campaign,
        "receivers": list_receivers(now=now),
        "markings": Tlp.choices,
        "to": to,
        "tlp": tlp,
        "preview": preview,
        "shares": list_shares(campaign),
        "form": form or ReasonForm(),
        "trouble": trouble,
        "now": now,
    }
    return render(request, "sharing/campaign.html", context, status=status)


def _render_share(
    request: StaffRequest, pk: uuid.UUID, *, status: HTTPStatus = HTTPStatus.OK, **special: Any
) -> HttpResponse:
    people = ("campaign", "partner", "proposed_by", "decided_by", "retracted_by")
    shown = get_object_or_404(Share.objects.select_related(*people), pk=pk)
    context = {"share": shown, "values": list_values(shown.stix), "form": ReasonForm(), "now": timezone.now()}
    return render(request, "sharing/share.html", context | special, status=status)
