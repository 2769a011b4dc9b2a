"""The pages of the audit log."""

from django.urls import path

from governance.overview.log_pages import views

app_name = "log"
urlpatterns = [
    path("", views.log, name="log"),
    path("export/", views.export, name="export"),
    path("<int:number>/", views.entry, name="entry"),
    path("<int:number>/proof/", views.proof, name="proof"),
    path("<int:number>/leaf/", views.leaf, name="leaf"),
]
