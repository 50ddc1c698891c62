from django.apps import AppConfig
from django.core import checks

from dashboard.schema import check_database


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        checks.register(check_database, checks.Tags.database)
