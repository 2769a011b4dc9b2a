from typing import Any, Final

from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from governance.staff.forms import SignInForm

# Names, to the sign-in page that follows, the user who signed out: the page forgets that user's drafts.
SIGNED_OUT: Final = "signed_out"


class SignIn(LoginView):
    template_name = "staff/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

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
            return super().form_valid(form)


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user.pk
        response = super().post(request, *args, **kwargs)
        if user is not None:
            response.set_cookie(SIGNED_OUT, str(user), secure=request.is_secure(), httponly=True, samesite="Strict")
        return response
