from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "governance.staff"
    verbose_name = "Access"

    def ready(self) -> None:
        from governance.staff import signals  # noqa: F401, PLC0415 - receivers need the models, loaded only now
