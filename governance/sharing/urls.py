"""The pages of partners and of sharing a campaign."""

from django.urls import path

from governance.sharing import views

app_name = "sharing"
urlpatterns = [
    path("settings/partners/", views.partners, name="partners"),
    path("settings/partners/add/", views.add, name="partner-add"),
    path("settings/partners/<uuid:pk>/", views.partner, name="partner"),
    path("settings/partners/<uuid:pk>/token/", views.new_token, name="partner-token"),
    path("settings/partners/<uuid:pk>/key/", views.new_key, name="partner-key"),
    path("settings/partners/<uuid:pk>/revoke/", views.revoke, name="partner-revoke"),
    path("campaigns/<uuid:pk>/share/", views.campaign_shares, name="campaign-share"),
    path("campaigns/<uuid:pk>/share/propose/", views.propose, name="share-propose"),
    path("shares/<uuid:pk>/", views.share, name="share"),
    path("shares/<uuid:pk>/approve/", views.approve, name="share-approve"),
    path("shares/<uuid:pk>/decline/", views.decline, name="share-decline"),
    path("shares/<uuid:pk>/retract/", views.retract, name="share-retract"),
]
