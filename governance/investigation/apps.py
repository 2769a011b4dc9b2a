from django.apps import AppConfig


class InvestigationConfig(AppConfig):
    name = "governance.investigation"
    verbose_name = "Investigation"
