"""Signing in with a passkey, and adding and removing one's own."""

import json
from typing import Final, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from governance.staff.credentials import count_stranger
from governance.staff.forms import AddPasskeyForm, OwnPasswordForm, PasskeyForm
from governance.staff.models import User
from governance.staff.passkeys import (
    CHALLENGE_WORKS_FOR,
    PASSKEY,
    PasskeyRefusedError,
    add_passkey,
    begin_passkey,
    begin_passkey_sign_in,
    check_passkey,
    remove_passkey,
)
from governance.staff.second_factor_views import render_second_factor
from governance.staff.second_step import end_second_step
from governance.staff.sign_in_steps import finish_sign_in, read_origin, with_error_status

CHALLENGE: Final = "passkey_challenge"  # a signed cookie
REFUSED: Final = "This passkey was not accepted. Try again, or sign in with your password."


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Give a browser a challenge, and sign in whose passkey has signed it."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    return _answer(request) if request.method == "POST" else _challenge(request)


def _challenge(request: HttpRequest) -> HttpResponse:
    options, challenge = begin_passkey_sign_in(request.session)
    response = JsonResponse(options)
    response.set_signed_cookie(
        CHALLENGE,
        json.dumps(challenge),
        max_age=CHALLENGE_WORKS_FOR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    form, origin, now = PasskeyForm(request.POST), read_origin(request), timezone.now()
    try:
        challenge = json.loads(request.get_signed_cookie(CHALLENGE, max_age=CHALLENGE_WORKS_FOR) or "{}")
        given = form.cleaned_data["credential"] if form.is_valid() else {}
        user = check_passkey(request.session, given, challenge, now=now)
    except (KeyError, signing.BadSignature, PasskeyRefusedError):
        count_stranger(origin, now=now)
        messages.error(request, REFUSED)
        return redirect("sign-in")
    end_second_step(request.session)
    leads_to = _own_address(request, request.POST.get("next", ""))
    response = finish_sign_in(request, user, origin=origin, leads_to=leads_to, now=now, factor=PASSKEY)
    response.delete_cookie(CHALLENGE)
    return response


def _own_address(request: HttpRequest, address: str) -> str:
    """Return an address to go on to, or that of the first page where the one given is another site's."""
    hosts = {request.get_host()}
    is_own = url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure())
    return address if is_own else resolve_url(settings.LOGIN_REDIRECT_URL)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def add_own_passkey(request: HttpRequest) -> HttpResponse:
    """Have the browser make a passkey, and keep its public key. New recovery codes are on this one answer."""
    user, now = cast("User", request.user), timezone.now()
    form = AddPasskeyForm(request.POST if request.method == "POST" else None, user=user, now=now)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            codes = add_passkey(user, given["name"], given["credential"], now=now)
        except PasskeyRefusedError:
            form.add_error(None, "The passkey was not accepted. Try again.")
        else:
            messages.success(request, "Passkey added.")
            return render_second_factor(request, codes=codes) if codes else redirect("second-factor")
    context = {"form": form, "options": json.dumps(begin_passkey(user))}
    return with_error_status(form, render(request, "staff/add_passkey.html", context))


@never_cache
@sensitive_post_parameters()
@require_POST
def remove_own_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    user, now = cast("User", request.user), timezone.now()
    form = OwnPasswordForm(request.POST, user=user, now=now)
    if not form.is_valid():
        return with_error_status(form, render_second_factor(request, passkey_form=form, passkey=pk))
    is_removed = remove_passkey(user, pk, now=now)
    messages.success(request, "Passkey removed." if is_removed else "This passkey was removed already.")
    return redirect("second-factor")
