"""Which columns hold encrypted values: found, so that none is forgotten."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from jobs.models.fields import EncryptedJSONField, Sealed
from organizations.reencryption import EncryptedColumn


def find_columns() -> Iterator[EncryptedColumn]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedJSONField):
                yield EncryptedColumn(model, field.name, models.TextField(), wrap=Sealed)
