from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.staff.credentials import ClientOrigin
from governance.staff.forms import BUSY, ChangePasswordForm, SignInForm
from governance.staff.hashing import HashingBusyError
from governance.staff.models import User
from governance.staff.passwords import change_password
from governance.staff.second_factor import has_second_factor
from governance.staff.second_step import begin_second_step
from governance.staff.sign_in_steps import finish_sign_in, read_origin, with_error_status

# Names, to the sign-in page that follows, the user who signed out: the page forgets that user's drafts.
SIGNED_OUT: Final = "signed_out"


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SignIn(LoginView):
    template_name = "staff/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    @cached_property
    def origin(self) -> ClientOrigin:
        return read_origin(self.request)

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
        user, leads_to, now = form.get_user(), self.get_success_url(), timezone.now()
        if has_second_factor(user):
            begin_second_step(self.request.session, user, leads_to=leads_to, now=now)
            return redirect("second-step")
        return finish_sign_in(self.request, user, origin=self.origin, leads_to=leads_to, now=now)

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return with_error_status(form, super().form_invalid(form))


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
    return with_error_status(form, response)
