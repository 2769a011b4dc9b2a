"""The pages about what is in force."""

from django.urls import path

from governance.enforcement import views
from governance.enforcement.webhooks import views as webhooks

app_name = "enforcement"
urlpatterns = [
    path("", views.enforcement, name="enforcement"),
    path("alarm/", views.alarm, name="alarm"),
    path("lost/<int:pk>/keep/", views.keep_lost, name="lost-keep"),
    path("lost/<int:pk>/drop/", views.drop_lost, name="lost-drop"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/add/", webhooks.add, name="webhook-add"),
    path("webhooks/<uuid:pk>/", webhooks.webhook, name="webhook"),
    path("webhooks/<uuid:pk>/rotate/", webhooks.rotate, name="webhook-rotate"),
    path("webhooks/<uuid:pk>/switch/", webhooks.switch, name="webhook-switch"),
    path("webhooks/<uuid:pk>/test/", webhooks.test, name="webhook-test"),
    path("webhooks/<uuid:pk>/replay/", webhooks.replay, name="webhook-replay"),
    path("webhooks/<uuid:pk>/remove/", webhooks.remove, name="webhook-remove"),
]
