"""Encryption at rest: a model field whose column holds a token, never the value."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from organizations.encryption import decrypt, encrypt


@dataclass(frozen=True, slots=True)
class Sealed:
    """A token as the column holds it; opened when the attribute is first read."""

    token: str


class _OpensOnRead(DeferredAttribute):
    """Decrypts when the attribute is read, so that a lost key breaks no list of accounts."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, Sealed):
            return value
        name = f"{self.field.model.__name__}.{self.field.name}"
        opened = json.loads(decrypt(value.token, name))
        instance.__dict__[self.field.attname] = opened
        return opened

    def __set__(self, instance: Any, value: Any) -> None:
        # without it the instance's own dictionary would come before __get__
        instance.__dict__[self.field.attname] = value


class EncryptedJSONField(models.Field[Any, Any]):
    """Any JSON value, encrypted. It cannot be filtered on; None is stored as NULL.

    Reading what no key opens raises Undecryptable: a token is never passed on as a value.
    """

    descriptor_class = _OpensOnRead
    # never shown in the audit log
    is_secret = True

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def value_from_object(self, obj: models.Model) -> Any:
        # not through the descriptor: an unread token is written back, or dumped, as it is
        if self.attname not in obj.__dict__:
            obj.refresh_from_db(fields=[self.attname])
        return obj.__dict__[self.attname]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return self.value_from_object(model_instance)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.token
        return encrypt(json.dumps(value, separators=(",", ":")))

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        # dumpdata writes the token; loaddata takes it back through to_python
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def to_python(self, value: Any) -> Any:
        return Sealed(value) if isinstance(value, str) and value.startswith("gAAAA") else value
