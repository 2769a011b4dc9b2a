from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "governance.sharing"
    verbose_name = "Sharing"
