from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "governance"

    def ready(self) -> None:
        """Make the Celery application the one that rings go to. Not in `__init__.py`: gateways import what is below
        without Celery and Django.
        """
        from governance import celery  # noqa: F401, PLC0415 - once the settings are there
