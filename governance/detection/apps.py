from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "governance.detection"
    verbose_name = "Risk"
