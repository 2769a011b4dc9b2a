"""A request by somebody who is signed in."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from governance.staff.models import User


class StaffRequest(HttpRequest):
    """Somebody signed in, as the middleware lets nobody else through."""

    user: User
    htmx: HtmxDetails
