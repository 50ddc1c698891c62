"""Which version of the code reads payloads."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

PROVIDERS = Path(__file__).parents[1]


@cache
def reading_version() -> str:
    """Fingerprint of all that reads payloads: another version may read the same ones otherwise."""
    digest = blake2b(digest_size=8)
    for path in sorted(PROVIDERS.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
