"""The Django project: settings, URLs, the Celery application and health."""

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]
