"""The pages of detection."""

from django.urls import path

from governance.detection import views

app_name = "detection"
urlpatterns = [
    path("drift/", views.drift, name="drift"),
]
