"""The pages of the policy."""

from django.urls import path

from governance.policies import views

app_name = "policies"
urlpatterns = [
    path("", views.policies, name="policies"),
    path("propose/", views.propose_policy, name="policy-propose"),
    path("<int:pk>/live/", views.go_live_page, name="policy-live"),
    path("<int:pk>/retire/", views.retire_policy, name="policy-retire"),
    path("off/", views.switch_policies_off, name="policy-off"),
    path("on/", views.switch_policies_on, name="policy-on"),
]
