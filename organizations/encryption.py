"""Encryption at rest, with the keys of CREDENTIALS_KEYS."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Undecryptable(Exception):
    """A stored value was made with a key that is no longer in CREDENTIALS_KEYS."""


@lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    def derive(key: str) -> Fernet:
        hkdf = HKDF(hashes.SHA256(), 32, salt=None, info=b"reelboard credentials at rest")
        return Fernet(base64.urlsafe_b64encode(hkdf.derive(key.encode())))

    return MultiFernet([derive(key) for key in keys])


def cipher() -> MultiFernet:
    """Encrypts with the newest of CREDENTIALS_KEYS, decrypts with any."""
    return _cipher(tuple(settings.CREDENTIALS_KEYS))


def encrypt(text: str) -> str:
    return cipher().encrypt(text.encode()).decode()


def needs_old_key(token: str) -> bool:
    """Whether the newest of CREDENTIALS_KEYS does not open it."""
    try:
        _cipher((settings.CREDENTIALS_KEYS[0],)).decrypt(token.encode())
    except InvalidToken:
        return True
    return False


def encrypt_anew(token: str) -> str:
    """The same text, encrypted with the newest key. Raises Undecryptable."""
    return encrypt(decrypt(token, "A stored value"))


def decrypt(token: str, name: str) -> str:
    """The text of a token; `name` is what the error calls it.

    Raises Undecryptable when none of the keys made it.
    """
    try:
        return cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise Undecryptable(
            f"{name} cannot be decrypted: none of CREDENTIALS_KEYS made it. Put the key that did "
            "back at the end of the list."
        ) from None
