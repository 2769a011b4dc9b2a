"""The pages about what is in force where, and the banner of every page."""

from django.urls import path

from governance.gateways import views

app_name = "gateways"
urlpatterns = [
    path("", views.enforcement, name="enforcement"),
    path("missing/", views.missing, name="missing"),
    path("alarm/", views.alarm, name="alarm"),
    path("lost/<int:pk>/keep/", views.keep_lost, name="lost-keep"),
    path("lost/<int:pk>/drop/", views.drop_lost, name="lost-drop"),
]
