"""URLs of media, as people and scripts enter them: one rule for form, API and command."""

import re

from providers.parsing.urls import WEB_SCHEMES, parse_url

# What providers fetch from and deliver to. A suffix names a region or a variant of the store:
# s3+eu-west-1, cf+uk.
SCHEMES = frozenset({"http", "https", "ftp", "ftps", "sftp", "s3", "gs", "gcs", "cf", "azure"})
MAX_URL = 4_000
# What `check_url` requires, as far as a pattern can say it; the second one without a scheme, too
_VISIBLE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
_URL = rf"(?:{'|'.join(sorted(SCHEMES))})(?:\+[A-Za-z0-9+.-]{{1,20}})?://[^\s/?#\x00-\x1f\x7f-\x9f][^\s\x00-\x1f\x7f-\x9f]*"
URL_PATTERN = rf"^{_URL}$"
SOURCE_PATTERN = rf"^(?:{_URL}|(?!.*://){_VISIBLE}*[^\s\x00-\x1f\x7f-\x9f]{_VISIBLE}*)$"
MAX_PORT = 65_535


def check_url(text: str, *, schemeless_allowed: bool = False) -> str:
    """`text`, spelled so that no provider or log line can be misled. Raises ValueError.

    `schemeless_allowed` is for providers that accept an id or a path in their own storage.
    """
    if not text.strip():
        raise ValueError("Enter the URL of a file.")
    if len(text) > MAX_URL:
        raise ValueError(f"Use a URL of at most {MAX_URL:,} characters.")
    if re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]", text):
        raise ValueError("Remove the control characters.")
    if schemeless_allowed and "://" not in text:
        return text
    if re.search(r"\s", text):
        raise ValueError("Replace spaces with %20.")
    url = parse_url(text)
    if url.scheme.partition("+")[0] not in SCHEMES:
        raise ValueError(
            f"Start with one of {', '.join(f'{name}://' for name in sorted(SCHEMES))}."
        )
    authority = re.split("[/?#]", text.partition("://")[2], maxsplit=1)[0]
    if not authority:
        raise ValueError("Add a host or a bucket after the //.")
    port = re.search(r":([0-9]+)$", authority)
    if port and int(port[1]) > MAX_PORT:
        raise ValueError(f"Use a port of at most {MAX_PORT}.")
    if url.scheme in WEB_SCHEMES and not url.is_web:
        raise ValueError("The host name is not valid.")
    return text
