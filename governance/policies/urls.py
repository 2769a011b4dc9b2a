"""The pages of the policy."""

from django.urls import path

from governance.policies import views

app_name = "policies"
urlpatterns = [
    path("", views.policies, name="policies"),
    path("propose/", views.proposed, name="policy-propose"),
    path("<int:pk>/live/", views.live, name="policy-live"),
    path("<int:pk>/retire/", views.retired, name="policy-retire"),
    path("off/", views.off, name="policy-off"),
    path("on/", views.on, name="policy-on"),
]
