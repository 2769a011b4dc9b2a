from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "governance.policies"
    verbose_name = "Policies"
