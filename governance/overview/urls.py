"""The first page, and what its figures lead to."""

from django.urls import path

from governance.overview import views

app_name = "overview"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("overview/cases/", views.cases, name="cases"),
    path("overview/<slug:name>.csv", views.export_chart_table, name="table"),
]
