"""The addresses of TAXII 2.1, below /taxii2/."""

from django.urls import path

from governance.sharing.taxii import views

app_name = "taxii"
COLLECTION = "shared/collections/<uuid:pk>/"
urlpatterns = [
    path("", views.discovery, name="discovery"),
    path("shared/", views.api_root, name="root"),
    path("shared/collections/", views.collections, name="collections"),
    path(COLLECTION, views.collection, name="collection"),
    path(f"{COLLECTION}objects/", views.objects, name="objects"),
    path(f"{COLLECTION}objects/<str:stix_id>/", views.one_object, name="object"),
    path(f"{COLLECTION}objects/<str:stix_id>/versions/", views.versions, name="versions"),
    path(f"{COLLECTION}manifest/", views.manifest, name="manifest"),
    path("<path:_rest>", views.nothing, name="nothing"),
]
