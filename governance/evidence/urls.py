"""The pages of evidence bundles."""

from django.urls import path

from governance.evidence import views

app_name = "evidence"
urlpatterns = [
    path("cases/<uuid:pk>/evidence/", views.evidence, name="case"),
    path("evidence/<uuid:pk>/download/", views.download, name="download"),
]
