"""The page that shows the API."""

from django.urls import path

from governance.openapi import views

app_name = "openapi"
urlpatterns = [
    path("", views.reference, name="reference"),
    path("openapi.json", views.download, name="download"),
]
