from django.apps import AppConfig


class GatewaysConfig(AppConfig):
    name = "governance.gateways"
    verbose_name = "Gateways"
