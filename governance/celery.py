"""The Celery application. Its tasks are in governance/tasks.py, its timetable in settings.CELERY_BEAT_SCHEDULE."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

app = Celery("stillwatch")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("governance.tasks",)
