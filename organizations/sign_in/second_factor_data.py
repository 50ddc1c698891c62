"""How second factors are stored: encrypted, with the keys that provider credentials have.

django-allauth has its adapter encrypt the key of an app and what recovery codes are made of, and
leaves passkeys as they are. These are encrypted as they are saved, and opened as they are read.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from allauth.mfa.models import Authenticator
from django.db.models import JSONField
from django.db.models.signals import post_init, post_save, pre_save

from organizations.encryption import Undecryptable, decrypt, encrypt
from organizations.reencryption import EncryptedColumn

log = structlog.get_logger(__name__)

PASSKEY = "credential"
# What is a token in the data: of an app, of recovery codes, of a passkey
TOKENS = ("secret", "seed", PASSKEY)


def connect() -> None:
    pre_save.connect(_seal, sender=Authenticator)
    post_save.connect(_open, sender=Authenticator)
    post_init.connect(_open, sender=Authenticator)


def find_columns() -> Iterator[EncryptedColumn]:
    yield EncryptedColumn(Authenticator, "data", JSONField(), _find_tokens, _replace_tokens)


def _find_tokens(data: dict[str, Any]) -> list[str]:
    return [data[name] for name in TOKENS if name in data]


def _replace_tokens(data: dict[str, Any], replace: Callable[[str], str]) -> dict[str, Any]:
    return {name: replace(value) if name in TOKENS else value for name, value in data.items()}


def _seal(instance: Authenticator, **_: Any) -> None:
    credential = instance.data.get(PASSKEY)
    if isinstance(credential, dict):
        instance.data = instance.data | {PASSKEY: encrypt(json.dumps(credential))}


def _open(instance: Authenticator, **_: Any) -> None:
    """Leaves a passkey that no key opens as it is: lists of them, and removing it, still work."""
    credential = instance.data.get(PASSKEY)
    if not isinstance(credential, str):
        return
    try:
        opened = json.loads(decrypt(credential, f"The passkey {instance.pk}"))
    except Undecryptable as error:
        log.error("passkey not readable", reason=str(error))
        return
    instance.data = instance.data | {PASSKEY: opened}
