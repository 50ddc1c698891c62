from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jobs.models.encrypted_columns import find_columns
        from jobs.models.search import indexes
        from jobs.workqueue import write_turns
        from organizations import reencryption

        connection_created.connect(write_turns.install)
        post_migrate.connect(indexes.install, sender=self)
        reencryption.register(find_columns)
