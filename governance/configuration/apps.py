from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "governance.configuration"
    verbose_name = "Settings"
