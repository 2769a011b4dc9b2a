from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "governance.campaigns"
    verbose_name = "Campaigns"
