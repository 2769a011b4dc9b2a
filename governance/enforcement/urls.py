"""The pages about what is in force."""

from django.urls import path

from governance.enforcement import views

app_name = "enforcement"
urlpatterns = [
    path("", views.enforcement, name="enforcement"),
    path("alarm/", views.alarm, name="alarm"),
]
