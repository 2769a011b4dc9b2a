from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.staff.client_address import client_network
from governance.staff.credentials import ClientOrigin, new_device_token, remember_origin
from governance.staff.forms import BUSY, TRY_LATER, ChangePasswordForm, SignInForm
from governance.staff.hashing import HashingBusyError
from governance.staff.models import User
from governance.staff.passwords import change_password

# Names, to the sign-in page that follows, the user who signed out: the page forgets that user's drafts.
SIGNED_OUT: Final = "signed_out"
# Known by the cookie, a device on which somebody signed in before is not held up by what strangers try.
DEVICE: Final = "device"
DEVICE_LASTS: Final = timedelta(days=400)  # the most that browsers keep a cookie
LONGEST_DEVICE: Final = 64


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SignIn(LoginView):
    template_name = "staff/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    @cached_property
    def origin(self) -> ClientOrigin:
        device = self.request.COOKIES.get(DEVICE, "")[:LONGEST_DEVICE]
        return ClientOrigin(client_network(self.request), device or new_device_token())

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"origin": self.origin}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say whether a session's end led here, and who has just signed out."""
        return super().get_context_data(
            session_ended="ended" in self.request.GET, signed_out=self.request.COOKIES.get(SIGNED_OUT), **kwargs
        )

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response = super().render_to_response(context, **kwargs)
        if context["signed_out"]:
            response.delete_cookie(SIGNED_OUT)
        return response

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        with transaction.atomic():  # the session, the time of sign-in and the entry stand or fall together
            response = super().form_valid(form)
            remember_origin(form.get_user(), self.origin, now=timezone.now())
        response.set_cookie(
            DEVICE,
            self.origin.device,
            max_age=DEVICE_LASTS,
            secure=self.request.is_secure(),
            httponly=True,
            samesite="Strict",
        )
        return response

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return _with_error_status(form, super().form_invalid(form))


class SignOut(LogoutView):
    """Only for somebody who is signed in, as the middleware sees to."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = str(request.user.pk)
        response = super().post(request, *args, **kwargs)
        response.set_cookie(SIGNED_OUT, user, secure=request.is_secure(), httponly=True, samesite="Strict")
        return response


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Somebody changes their own password; it ends their other sessions."""
    user, now = cast("User", request.user), timezone.now()
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, user=user, now=now)
    if form.is_bound and form.is_valid():
        try:
            if change_password(user, form.cleaned_data["new"], now=now, but=request.session.session_key):
                update_session_auth_hash(request, user)
                messages.success(request, "Password changed. You are signed out everywhere else.")
                return redirect("password")
            form.add_error(None, "Your password was just changed elsewhere. Sign in again.")
        except HashingBusyError:
            form.add_error(None, BUSY)
    response = render(request, "staff/password.html", {"form": form})
    return _with_error_status(form, response) if form.errors else response


def _with_error_status(form: Form, response: HttpResponse) -> HttpResponse:
    """Give the page that shows what is wrong the status that says so."""
    response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    for error in form.non_field_errors().as_data():
        if error.code in TRY_LATER:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(TRY_LATER[error.code])
    return response
