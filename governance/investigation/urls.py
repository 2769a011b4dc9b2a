"""The pages of accounts and organisations, and the search."""

from django.urls import path, register_converter

from governance.investigation import views
from governance.web.external_ids import ExternalIdConverter

register_converter(ExternalIdConverter, "external")

app_name = "investigation"
urlpatterns = [
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/<external:external_id>/", views.account, name="account"),
    path("accounts/<external:external_id>/explanation/", views.explanation, name="account-explanation"),
    path("accounts/<external:external_id>/asking/", views.ways_of_asking, name="account-asking"),
    path("accounts/<external:external_id>/open/", views.open_case, name="account-open-case"),
    path("accounts/<external:external_id>/watch/", views.watch_account, name="account-watch"),
    path("accounts/<external:external_id>/unwatch/", views.unwatch_account, name="account-unwatch"),
    path("organisations/<external:external_id>/", views.organisation, name="organisation"),
    path("search/", views.search_page, name="search"),
]
