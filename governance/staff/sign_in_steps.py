"""What the steps of sign-in share: from where somebody comes, and how they are signed in at the end."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.contrib.auth import login
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from governance.staff.client_address import client_network
from governance.staff.credentials import ClientOrigin, new_device_token, remember_origin
from governance.staff.forms import TRY_LATER
from governance.staff.models import User

# Known by the cookie, a device on which somebody signed in before is not held up by what strangers try.
DEVICE: Final = "device"
DEVICE_LASTS: Final = timedelta(days=400)  # the most that browsers keep a cookie
LONGEST_DEVICE: Final = 64
# In the session: by which second factor it was begun. Absent where the password was enough.
FACTOR: Final = "second_factor"


def read_origin(request: HttpRequest) -> ClientOrigin:
    """Return from where the request comes; a device that has no cookie yet gets a new secret."""
    device = request.COOKIES.get(DEVICE, "")[:LONGEST_DEVICE]
    return ClientOrigin(client_network(request), device or new_device_token())


def finish_sign_in(
    request: HttpRequest, user: User, *, origin: ClientOrigin, leads_to: str, now: datetime, factor: str = ""
) -> HttpResponse:
    """Sign the user in, remember the device and network, and lead on.

    The session, the time of sign-in and the entry stand or fall together.
    """
    with transaction.atomic():
        if factor:
            request.session[FACTOR] = factor
        login(request, user)
        remember_origin(user, origin, now=now)
    response = redirect(leads_to)
    response.set_cookie(
        DEVICE, origin.device, max_age=DEVICE_LASTS, secure=request.is_secure(), httponly=True, samesite="Strict"
    )
    return response


def with_error_status(form: Form, response: HttpResponse) -> HttpResponse:
    """Give the page that shows what is wrong the status that says so."""
    if form.is_bound and form.errors:
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    for error in form.non_field_errors().as_data() if form.is_bound else ():
        if error.code in TRY_LATER:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(TRY_LATER[error.code])
    return response
