"""What an installation knows of itself."""

from django.db import models


class Heartbeat(models.Model):
    """When a queue of Celery last ran a task of the timetable."""

    queue = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.queue
