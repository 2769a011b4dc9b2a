"""The page *Your sessions*: where somebody is signed in, and how to end that."""

import uuid
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.staff.models import User
from governance.staff.sessions import end_session, end_sessions, open_sessions


@never_cache
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    user, now = cast("User", request.user), timezone.now()
    context = {"sessions": open_sessions(user, at=now), "here": request.session.session_key, "now": now}
    return render(request, "staff/sessions.html", context)


@require_POST
def end_own_session(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    user = cast("User", request.user)
    is_ended = end_session(user, pk, by=user.actor, now=timezone.now())
    messages.success(request, "Session ended." if is_ended else "This session had ended already.")
    return redirect("sessions")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    ended = end_sessions(user, by=user.actor, now=timezone.now(), but=request.session.session_key)
    messages.success(request, "You are signed out everywhere else." if ended else "You were signed in nowhere else.")
    return redirect("sessions")
