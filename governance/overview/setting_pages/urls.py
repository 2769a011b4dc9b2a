"""The pages of settings."""

from django.urls import path

from governance.overview.access import views as access
from governance.overview.setting_pages import views

app_name = "configuration"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("due/", views.due_targets, name="due-targets"),
    path("reasons/", views.reasons, name="reasons"),
    path("history/", views.history, name="history"),
    path("users/", access.users, name="users"),
    path("users/add/", access.add, name="user-add"),
    path("users/<uuid:pk>/role/", access.role, name="user-role"),
    path("users/<uuid:pk>/shut-out/", access.shut_out, name="user-shut-out"),
    path("users/<uuid:pk>/readmit/", access.readmit, name="user-readmit"),
    path("keys/", access.service_keys, name="service-keys"),
    path("keys/issue/", access.issue, name="service-key-issue"),
    path("keys/<uuid:pk>/revoke/", access.revoke, name="service-key-revoke"),
]
