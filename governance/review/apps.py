from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "governance.review"
    verbose_name = "Review"
