from django.apps import AppConfig, apps
from django.core import checks
from django.core.signals import request_finished
from django.db.models.signals import pre_migrate


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from dashboard import schema_version  # it has a model, which needs the applications
        from dashboard.web import headers

        checks.register(schema_version.check_database, checks.Tags.database)
        request_finished.connect(headers.forget_request_id)
        # Sent for each app that has models, with the plan for all of them: once is enough.
        pre_migrate.connect(
            schema_version.store_digests, sender=apps.get_app_config(schema_version.OUR_APPS[0])
        )
