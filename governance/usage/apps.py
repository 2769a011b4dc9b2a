from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "governance.usage"
    verbose_name = "Usage"
