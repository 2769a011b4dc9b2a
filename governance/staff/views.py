from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpResponse

from governance.staff.forms import SignInForm


class SignIn(LoginView):
    template_name = "staff/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        with transaction.atomic():  # the session, the time of sign-in and the entry stand or fall together
            return super().form_valid(form)
