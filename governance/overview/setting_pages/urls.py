"""The pages of settings."""

from django.urls import path

from governance.overview.access import views as access
from governance.overview.privacy_pages import views as privacy
from governance.overview.setting_pages import views

app_name = "configuration"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("due/", views.edit_due_targets, name="due-targets"),
    path("reasons/", views.edit_reason_settings, name="reasons"),
    path("history/", views.setting_history, name="history"),
    path("users/", access.users, name="users"),
    path("users/add/", access.add_staff_user, name="user-add"),
    path("users/<uuid:pk>/role/", access.edit_staff_role, name="user-role"),
    path("users/<uuid:pk>/shut-out/", access.shut_out_staff_user, name="user-shut-out"),
    path("users/<uuid:pk>/end-sessions/", access.end_staff_sessions, name="user-end-sessions"),
    path("users/<uuid:pk>/remove-factor/", access.remove_staff_factor, name="user-remove-factor"),
    path("users/<uuid:pk>/readmit/", access.readmit_staff_user, name="user-readmit"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("privacy/hold/", privacy.hold, name="hold"),
    path("privacy/hold/<uuid:pk>/lift/", privacy.lift, name="hold-lift"),
    path("privacy/erase/", privacy.erasure, name="erase"),
    path("keys/", access.service_keys, name="service-keys"),
    path("keys/issue/", access.issue_key, name="service-key-issue"),
    path("keys/<uuid:pk>/replace/", access.replace_key_secret, name="service-key-replace"),
    path("keys/<uuid:pk>/end-previous/", access.end_key_secret, name="service-key-end-previous"),
    path("keys/<uuid:pk>/revoke/", access.revoke_key, name="service-key-revoke"),
]
