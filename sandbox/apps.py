from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Only here so that `manage.py sandbox` exists: the sandbox itself knows no Django."""

    name = "sandbox"
