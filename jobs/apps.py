from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jobs.models.encrypted_columns import find_columns
        from organizations import reencryption

        reencryption.register(find_columns)
