"""Encryption at rest: a model field whose column holds a token, never the value."""

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute


class Undecryptable(Exception):
    """A stored value was made with a key that is no longer in CREDENTIALS_KEYS."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A token as the column holds it; opened when the attribute is first read."""

    token: str


@lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    def derive(key: str) -> Fernet:
        hkdf = HKDF(hashes.SHA256(), 32, salt=None, info=b"reelboard credentials at rest")
        return Fernet(base64.urlsafe_b64encode(hkdf.derive(key.encode())))

    return MultiFernet([derive(key) for key in keys])


def cipher() -> MultiFernet:
    """Encrypts with the newest of CREDENTIALS_KEYS, decrypts with any."""
    return _cipher(tuple(settings.CREDENTIALS_KEYS))


class _OpensOnRead(DeferredAttribute):
    """Decrypts when the attribute is read, so that a lost key breaks no list of accounts."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, Sealed):
            return value
        try:
            opened = json.loads(cipher().decrypt(value.token.encode()))
        except InvalidToken:
            raise Undecryptable(
                f"{self.field.model.__name__}.{self.field.name} cannot be decrypted: none of "
                "CREDENTIALS_KEYS made it. Put the key that did back at the end of the list."
            ) from None
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
        return cipher().encrypt(json.dumps(value, separators=(",", ":")).encode()).decode()

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        # dumpdata writes the token; loaddata takes it back through to_python
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def to_python(self, value: Any) -> Any:
        return Sealed(value) if isinstance(value, str) and value.startswith("gAAAA") else value
