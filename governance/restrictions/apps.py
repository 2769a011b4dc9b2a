from django.apps import AppConfig


class RestrictionsConfig(AppConfig):
    name = "governance.restrictions"
    verbose_name = "Restrictions"
