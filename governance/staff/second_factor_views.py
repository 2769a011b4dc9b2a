"""The step of sign-in after the password, and the page on which people add and remove their second factor."""

import base64
from http import HTTPStatus
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.platform.encryption import decrypt_secret, encrypt_secret
from governance.staff.credentials import TooManyAttemptsError
from governance.staff.forms import TOO_MANY, AddAppForm, CodeForm, OwnPasswordForm
from governance.staff.models import User
from governance.staff.passkeys import list_passkeys
from governance.staff.second_factor import (
    FactorExistsError,
    WrongCodeError,
    add_authenticator_app,
    app_address,
    app_picture,
    check_second_factor,
    count_recovery_codes,
    has_app,
    new_app_secret,
    remove_second_factor,
    replace_recovery_codes,
)
from governance.staff.second_step import end_second_step, find_second_step
from governance.staff.sign_in_steps import finish_sign_in, read_origin, with_error_status

NEW_APP: Final = "new_app"  # in the session, until a code has shown that an app has it
WRONG_CODE: Final = "This code is wrong, or was used already. Enter the one that is shown now."


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Take the code of somebody who has entered their password, and sign them in."""
    now = timezone.now()
    pending = None if request.user.is_authenticated else find_second_step(request.session, now=now)
    if pending is None:
        return redirect("sign-in")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        origin = read_origin(request)
        try:
            factor = check_second_factor(pending.user, form.cleaned_data["code"], origin=origin, now=now)
        except WrongCodeError:
            form.add_error("code", WRONG_CODE)
        except TooManyAttemptsError:
            form.add_error(None, TOO_MANY)
        else:
            end_second_step(request.session)
            return finish_sign_in(
                request, pending.user, origin=origin, leads_to=pending.leads_to, now=now, factor=factor
            )
    context = {"form": form, "next": pending.leads_to}
    return with_error_status(form, render(request, "staff/second_step.html", context))


@never_cache
@require_safe
def second_factor(request: HttpRequest) -> HttpResponse:
    return render_second_factor(request)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: HttpRequest) -> HttpResponse:
    """Show a secret to an authenticator app, and take its code. The recovery codes are on this one answer."""
    user, now = cast("User", request.user), timezone.now()
    if request.method != "POST" or NEW_APP not in request.session:
        request.session[NEW_APP] = encrypt_secret(new_app_secret()).decode()
    secret = decrypt_secret(request.session[NEW_APP].encode())
    form = AddAppForm(request.POST if request.method == "POST" else None, user=user, now=now)
    if form.is_bound and form.is_valid():
        try:
            codes = add_authenticator_app(user, secret, form.cleaned_data["code"], now=now)
        except WrongCodeError:
            form.add_error("code", WRONG_CODE)
        except FactorExistsError as error:
            form.add_error(None, str(error))
        else:
            del request.session[NEW_APP]
            return render_second_factor(request, codes=codes)
    address = app_address(user, secret)
    picture = base64.b64encode(app_picture(address).encode()).decode()
    context = {"form": form, "secret": secret, "picture": picture, "address": address}
    return with_error_status(form, render(request, "staff/add_app.html", context))


@never_cache
@sensitive_post_parameters()
@require_POST
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, which are on this one answer."""
    user, now = cast("User", request.user), timezone.now()
    form = OwnPasswordForm(request.POST, user=user, now=now)
    if not form.is_valid():
        return with_error_status(form, render_second_factor(request, codes_form=form))
    return render_second_factor(request, codes=replace_recovery_codes(user, now=now))


@never_cache
@sensitive_post_parameters()
@require_POST
def remove_own_factor(request: HttpRequest) -> HttpResponse:
    user, now = cast("User", request.user), timezone.now()
    form = OwnPasswordForm(request.POST, user=user, now=now)
    if not form.is_valid():
        return with_error_status(form, render_second_factor(request, removal_form=form))
    remove_second_factor(user, by=user.actor, now=now)
    messages.success(request, "Removed. You sign in with your password alone.")
    return redirect("second-factor")


def render_second_factor(request: HttpRequest, **special: Any) -> HttpResponse:
    user = cast("User", request.user)
    context = {
        "has_app": has_app(user),
        "passkeys": [(key, key.wrap().name) for key in list_passkeys(user)],
        "left": count_recovery_codes(user),
        "now": timezone.now(),
    }
    return render(request, "staff/second_factor.html", context | special, status=HTTPStatus.OK)
