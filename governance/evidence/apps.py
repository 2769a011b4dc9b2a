from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "governance.evidence"
    verbose_name = "Evidence"
