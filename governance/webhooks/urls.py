"""The pages of webhooks."""

from django.urls import path

from governance.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("add/", views.add, name="webhook-add"),
    path("<uuid:pk>/", views.webhook, name="webhook"),
    path("<uuid:pk>/rotate/", views.rotate, name="webhook-rotate"),
    path("<uuid:pk>/switch/", views.switch, name="webhook-switch"),
    path("<uuid:pk>/test/", views.test, name="webhook-test"),
    path("<uuid:pk>/replay/", views.replay_deliveries, name="webhook-replay"),
    path("<uuid:pk>/remove/", views.remove, name="webhook-remove"),
]
