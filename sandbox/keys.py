"""The keys of the providers' accounts: made once per state folder, readable for other processes."""

import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.options import OptionError

# Not a provider's: signs the links to hosted outputs.
LINK_SECRET = "link_secret"  # noqa: S105 (a name, no secret)


def load_keys(path: Path, names: Iterable[str], planted: Mapping[str, str]) -> dict[str, str]:
    """Read `path`, add what is missing, let `planted` values win, and write it back."""
    known = [*names, LINK_SECRET]
    unknown = sorted(set(planted) - set(known))
    if unknown:
        raise OptionError(f"There is no key named {unknown[0]}: choose from {', '.join(known)}.")
    kept = json.loads(path.read_text()) if path.exists() else {}
    keys = {name: planted.get(name) or kept.get(name) or secrets.token_hex(16) for name in known}
    if len(set(keys.values())) < len(keys):
        raise OptionError("Two keys have the same value: each must be different.")
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(keys, indent=2) + "\n")
    unfinished.replace(path)
    return keys
