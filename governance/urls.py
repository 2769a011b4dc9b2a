"""Every page. What a machine asks is in api_v1.py."""

from django.contrib import admin
from django.urls import include, path

from governance import api_v1
from governance.staff.passkey_views import add_own_passkey, passkey_sign_in, remove_own_passkey
from governance.staff.second_factor_views import (
    add_app,
    new_recovery_codes,
    remove_own_factor,
    second_factor,
    second_step,
)
from governance.staff.session_views import end_other_sessions, end_own_session, sessions
from governance.staff.views import SignIn, SignOut, password
from governance.usage.api import OpenTelemetryTracesView
from governance.web.views import health, problems, words

handler500 = "governance.web.views.server_error"

urlpatterns = [
    path("", include("governance.overview.urls")),
    path("", include("governance.sharing.urls")),
    path("settings/", include("governance.overview.setting_pages.urls")),
    path("log/", include("governance.overview.log_pages.urls")),
    path("", include("governance.review.urls")),
    path("", include("governance.evidence.urls")),
    path("", include("governance.investigation.urls")),
    path("policy/", include("governance.policies.urls")),
    path("calibration/", include("governance.detection.urls")),
    path("enforcement/", include("governance.gateways.urls")),
    path("enforcement/webhooks/", include("governance.webhooks.urls")),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-in/code/", second_step, name="second-step"),
    path("sign-in/passkey/", passkey_sign_in, name="passkey-sign-in"),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
    path("password/", password, name="password"),
    path("second-factor/", second_factor, name="second-factor"),
    path("second-factor/add/", add_app, name="second-factor-add"),
    path("second-factor/codes/", new_recovery_codes, name="second-factor-codes"),
    path("second-factor/remove/", remove_own_factor, name="second-factor-remove"),
    path("second-factor/passkeys/add/", add_own_passkey, name="passkey-add"),
    path("second-factor/passkeys/<int:pk>/remove/", remove_own_passkey, name="passkey-remove"),
    path("sessions/", sessions, name="sessions"),
    path("sessions/<uuid:pk>/end/", end_own_session, name="session-end"),
    path("sessions/end-others/", end_other_sessions, name="session-end-others"),
    path("words/", words, name="words"),
    path("api-reference/", include("governance.openapi.urls")),
    path("problems/", problems, name="problems"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api_v1)),
    path("v1/traces", OpenTelemetryTracesView.as_view(), name="opentelemetry-traces"),  # OTLP exporters send here
    path("taxii2/", include("governance.sharing.taxii.urls")),
    path("health/", health, name="health"),
]
