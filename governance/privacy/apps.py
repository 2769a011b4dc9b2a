from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "governance.privacy"
