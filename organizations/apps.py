from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrganizationsConfig(AppConfig):
    name = "organizations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from organizations import reencryption
        from organizations.audit import triggers
        from organizations.sign_in import second_factor_data

        post_migrate.connect(triggers.install, sender=self)
        second_factor_data.connect()
        reencryption.register(second_factor_data.find_columns)
