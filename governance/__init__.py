"""The governing: what customers did, what it looks like, what people decide and what follows from it."""

from governance.celery import app as celery_app

__all__ = ["celery_app"]
