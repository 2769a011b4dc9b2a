"""The pages of webhooks: adding and switching them, their deliveries, and sending some again."""

import uuid
from datetime import UTC, datetime, time
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.staff.roles import CHANGE_WEBHOOKS, VIEW_WEBHOOKS
from governance.web.counts import pluralize
from governance.web.requests import StaffRequest
from governance.webhooks import actions
from governance.webhooks.addresses import AddressError
from governance.webhooks.forms import ReplayForm, WebhookForm
from governance.webhooks.models import Delivery, Webhook

SHOWN = 50
PAGE = "webhooks/list.html"


@never_cache
@require_safe
@permission_required(VIEW_WEBHOOKS, raise_exception=True)
def webhooks(request: StaffRequest) -> HttpResponse:
    return render(request, PAGE, {"webhooks": _webhooks_with_counts(), "form": WebhookForm(), "now": timezone.now()})


@never_cache
@require_POST
@permission_required(CHANGE_WEBHOOKS, raise_exception=True)
def add(request: StaffRequest) -> HttpResponse:
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            added, secret = actions.add_webhook(form.cleaned_data["url"], by=request.user.actor, now=timezone.now())
        except AddressError as mistake:
            form.add_error("url", str(mistake))
        else:
            return _render_page(request, added, secret=secret)
    context = {"webhooks": _webhooks_with_counts(), "form": form, "now": timezone.now()}
    return render(request, PAGE, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@never_cache
@require_safe
@permission_required(VIEW_WEBHOOKS, raise_exception=True)
def webhook(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return _render_page(request, get_object_or_404(Webhook, pk=pk))


@never_cache
@require_POST
@permission_required(CHANGE_WEBHOOKS, raise_exception=True)
def rotate(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    changed = get_object_or_404(Webhook, pk=pk)
    secret = actions.rotate_secret(changed, by=request.user.actor, now=timezone.now())
    return _render_page(request, changed, secret=secret)


@require_POST
@permission_required(CHANGE_WEBHOOKS, raise_exception=True)
def switch(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """`to` on or off, as the button said: meanwhile it may have been switched off by a receiver that is gone."""
    changed, by, now = get_object_or_404(Webhook, pk=pk), request.user.actor, timezone.now()
    if request.POST.get("to") == "off":
        actions.disable(changed, because="Switched off by staff.", by=by, now=now)
    elif request.POST.get("to") == "on":
        actions.enable(changed, by=by, now=now)
    else:
        complaint = {"complaint": "Choose on or off."}
        return render(request, "400.html", complaint, status=HTTPStatus.BAD_REQUEST)
    return redirect("webhooks:webhook", pk=pk)


@require_POST
@permission_required(CHANGE_WEBHOOKS, raise_exception=True)
def test(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    actions.ping(get_object_or_404(Webhook, pk=pk), by=request.user.actor, now=timezone.now())
    messages.success(request, "Test queued.")
    return redirect("webhooks:webhook", pk=pk)


@require_POST
@permission_required(CHANGE_WEBHOOKS, raise_exception=True)
def replay_deliveries(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    again, form = get_object_or_404(Webhook, pk=pk), ReplayForm(request.POST)
    if not form.is_valid():
        return _render_page(request, again, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    one, since = form.cleaned_data["delivery"], form.cleaned_data["since"]
    number = actions.replay(
        again,
        deliveries=[str(one)] if one else [],
        since=datetime.combine(since, time.min, UTC) if since else None,
        by=request.user.actor,
        now=timezone.now(),
    )
    messages.success(
        request, f"{pluralize(number, 'delivery', 'deliveries')} queued again." if number else "Nothing to resend."
    )
    return redirect("webhooks:webhook", pk=pk)


@require_POST
@permission_required(CHANGE_WEBHOOKS, raise_exception=True)
def remove(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    actions.remove(get_object_or_404(Webhook, pk=pk), by=request.user.actor, now=timezone.now())
    messages.success(request, "Webhook removed.")
    return redirect("webhooks:webhooks")


def _webhooks_with_counts() -> list[Webhook]:
    """Every webhook with its deliveries counted, the last that arrived, and the last that was tried in vain.

    `waiting` have not been tried yet; `failing` have, and are tried again.
    """
    states = Delivery.State
    tried = Q(deliveries__tried_at__isnull=False)
    of_each = Delivery.objects.filter(webhook=OuterRef("pk"), tried_at__isnull=False).order_by("-tried_at")
    arrived, failed = of_each.filter(state=states.DELIVERED), of_each.exclude(state=states.DELIVERED)
    return list(
        Webhook.objects.annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state=states.WAITING) & ~tried),
            failing=Count("deliveries", filter=Q(deliveries__state=states.WAITING) & tried),
            given_up=Count("deliveries", filter=Q(deliveries__state=states.GIVEN_UP)),
            arrived_at=Subquery(arrived.values("tried_at")[:1]),
            failed_at=Subquery(failed.values("tried_at")[:1]),
            failed_status=Subquery(failed.values("last_status")[:1]),
            failed_error=Subquery(failed.values("last_error")[:1]),
        )
    )


def _render_page(
    request: StaffRequest, webhook: Webhook, *, secret: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    """A secret is on this one answer, and nowhere again."""
    deliveries = webhook.deliveries.select_related("change")[:SHOWN]
    context = {"webhook": webhook, "deliveries": deliveries, "secret": secret, "now": timezone.now()}
    return render(request, "webhooks/webhook.html", context, status=status)
