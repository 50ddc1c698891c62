"""What makes failures one group: the class, and the message without what differs between jobs.

Rules only, no database. A better rule gets the next VERSION and groups the failures to come; those
that are stored keep the group of the rule of their time.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

VERSION = 1

# Characters of a message that are read: as many as a job's column holds. The work on one is
# bounded by this, whatever it contains.
MAX_MESSAGE = 1_000
# Of a normalized one: what comes after is a trace or a list more often than a cause.
MAX_NORMALIZED = 500

# What may stand in a normalized message in place of what was there.
KINDS = frozenset({"email", "host", "id", "n", "path", "text", "time", "url"})

_EXTENSIONS = (
    "3gp|aac|ac3|ass|avi|dash|dfxp|flac|flv|gif|html?|jpe?g|json|log|m2ts|m2v|m3u8|m4[avs]|mkv|mov"
    "|mp[234]|mpe?g|mpd|mts|mxf|ogg|ogv|opus|pdf|png|scc|srt|stl|tar|tiff?|tmp|ts|ttml|txt|vob|vtt"
    "|wav|webm|webp|wmv|xml|zip"
)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_CLOCK = r"\d{1,3}:\d{2}(?::\d{2})?(?:[.,;]\d+)?(?:\s?(?:Z|UTC|GMT|[AP]M\b|[+-]\d{2}:?\d{2}))?"
_UNITS = (
    r"%|[ip]|[kmgtp]?i?b(?:it)?(?:ps|/s)|[kmgtp]i?b|bytes?|octets?|bits?|[kmg]?hz|fps|frames/s|px|pixels?"
    r"|ms|msecs?|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?|d|days?"
)

# Names in quotes that are part of what is said: a setting or a codec, not a file or a bucket.
_KEPT_IN_QUOTES = re.compile(r"[A-Za-z][A-Za-z_]{2,23}")
_HOST_END = re.compile(r"[a-z]{2,3}|info|cloud|local|internal|corp|lan|media|video|tech|example")
_FILE = re.compile(rf"(?i).*\.(?:{_EXTENSIONS})")
_MIME = re.compile(r"(?i)(?:video|audio|image|text|application|multipart)/[\w.+-]+")
# words run together as programs name things, S3BucketNotFoundError; possessive, so that a long
# word is read once
_CAMEL_CASE = re.compile(
    r"(?:[a-z]{2,}+\d?+)?+(?:[A-Z]++\d?+(?:[a-z]{2,}+)?+)*+",
)

_PARTS = re.compile(
    rf"""
    (?P<quoted>
        (?<!\w)(?:"[^"]{{0,400}}"|'[^']{{0,400}}'|`[^`]{{0,400}}`|‘[^’]{{0,400}}’|“[^”]{{0,400}}”
        |„[^“”]{{0,400}}[“”]|«[^»]{{0,400}}»|「[^」]{{0,400}}」)(?!\w)
    )
    |(?P<url>\b[a-z][a-z0-9+.-]{{1,15}}://[^\s"'`<>“”«»]*)
    |(?P<id>
        \barn:[\w-]+:[^\s"'<>]*
        |(?<![\w-])(?:[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}|[a-z\d]{{4}}(?:-[a-z\d]{{4}}){{2}})(?![\w-])
    )
    |(?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}})
    |(?P<time>
        (?<![\w.])(?:
            \d{{4}}-\d{{2}}-\d{{2}}(?:[T\ ]+{_CLOCK})?
            |\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{4}}(?:,?\ {_CLOCK})?
            |(?:[a-z]{{3,9}},\ )?\d{{1,2}}[\ -]{_MONTH}[\ -]\d{{4}}(?:,?\ {_CLOCK})?
            |{_MONTH}\ \d{{1,2}},?\ \d{{4}}(?:,?\ {_CLOCK})?
            |{_CLOCK}
        )(?![\w:])
    )
    |(?P<file>(?<![\w.:/\\])(?:/|~/|[a-z]:\\|\\\\)[^:"'<>|]{{0,240}}?\.(?:{_EXTENSIONS})\b)
    |(?P<address>
        (?<![\w.:])(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|\[?(?:[0-9a-f]{{0,4}}:){{3,7}}[0-9a-f]{{1,4}}\]?)
        (?::\d{{1,5}})?(?![\w.])
    )
    |(?P<n>
        (?<![\w.])[+-]?\d+(?:[.,_'\ \u00a0\u202f]\d{{3}}\b)*(?:[.,]\d+)*
        (?:[\ \u00a0\u202f]?(?:{_UNITS}))?(?!\w|\.[a-z])
    )
    |(?P<text>(?:(?<=bucket\ )|(?<=named\ ))[\w.]*[-.\d][\w.-]*\w)
    |(?P<path>(?<![\w.%@+~\#=&$-])[\w.%@+~\#=&$-]{{0,200}}[/\\][^\s"'`<>“”«»,;()\[\]]*)
    |(?P<token>[\w-]+(?:\.[\w-]+)*(?::\d{{1,5}}\b)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# worker-7, eu-west-1b; a hash with a single digit
_NUMBERED = re.compile(r"[-_](?=[a-z]*\d)[a-z\d]{1,3}$|(?:^|[-_])(?=[a-f]*\d)[0-9a-f]{8,}$")
_DIGITS = re.compile(r"\d+")
_TRAILING = ".,;:!?)]}"

# Several of one kind in a row count as one; so does a plural.
_LISTED = re.compile(r"(<[a-z]+>)(?:(?:[ ]?[,;/+&][ ]?|[ ])(?:(?:and|or|und|et)[ ])?<[a-z]+>)+")
_PLACEHOLDER = re.compile(r"<[a-z]+>")
_PLURAL = re.compile(r"(?<=<> )([^\W\d_]{3,30}?)s\b")


class Part(NamedTuple):
    """A piece of a message; `kind` says what it is replaced by, and is empty where it stays."""

    text: str
    kind: str


def split_message(message: str) -> list[Part]:
    """Return the message in parts; joined they are its first MAX_MESSAGE characters."""
    text = message[:MAX_MESSAGE]
    parts: list[Part] = []
    end = 0
    for start, stop, kind in _find_replaced(text):
        if start > end:
            parts.append(Part(text[end:start], ""))
        parts.append(Part(text[start:stop], kind))
        end = stop
    if end < len(text):
        parts.append(Part(text[end:], ""))
    return parts


def normalize_message(message: str) -> str:
    """Return the message with `<n>`, `<url>` and the like where jobs differ, as people read it."""
    replaced = "".join(f"<{kind}>" if kind else text for text, kind in split_message(message))
    return _LISTED.sub(r"\1", " ".join(replaced.split()))[:MAX_NORMALIZED]


def fingerprint(error_class: str, normalized: str) -> str:
    """Return what failures of one group share, as 32 hexadecimal digits.

    `normalized` comes from normalize_message. What kind of thing was replaced, letter case, plurals
    and the end's punctuation do not matter.
    """
    text = _LISTED.sub("<>", _PLACEHOLDER.sub("<>", normalized)).casefold()
    text = _PLURAL.sub(r"\1", text).rstrip(" .!:;,")
    value = f"{VERSION}\n{error_class}\n{text}"
    return hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _find_replaced(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _PARTS.finditer(text):
        name = found.lastgroup or ""
        start, stop = found.span()
        if name in ("url", "path", "id"):
            stop = start + len(found[0].rstrip(_TRAILING))
        kind = _KINDS[name](text[start:stop]) if name in _KINDS else name
        if kind:
            yield start, stop, kind
        elif name != "quoted":
            # a word that stays, but for the numbers in it
            yield from ((*digits.span(), "n") for digits in _DIGITS.finditer(text, start, stop))


def _kind_of_quoted(text: str) -> str:
    inner = text[1:-1].strip()
    if _KEPT_IN_QUOTES.fullmatch(inner):
        return ""
    replaced = list(_find_replaced(inner))
    is_one = len(replaced) == 1 and replaced[0][:2] == (0, len(inner))
    return replaced[0][2] if is_one else "text"


def _kind_of_path(text: str) -> str:
    """Two words with a slash between them are no path, unless there is a number or a file name."""
    if _MIME.fullmatch(text):
        return ""
    is_path = text[0] in "/\\~." or ":" in text or len(re.findall(r"[/\\]", text)) > 1
    return "path" if is_path or _DIGITS.search(text) or _FILE.fullmatch(text) else ""


def _kind_of_token(text: str) -> str:
    if "." in text:
        if _FILE.fullmatch(text):
            return "path"
        host = text.partition(":")[0]
        if host.islower() and "_" not in host and _HOST_END.fullmatch(host.rpartition(".")[2]):
            return "host"
    return "id" if _is_id(text) else ""


def _is_id(text: str) -> bool:
    """Whether a program made up the word: by its digits, or by upper and lower case in turn."""
    if len(text) < 6:
        return False
    if sum(map(str.isdigit, text)) >= 2 or _NUMBERED.search(text):
        return True
    return len(text) >= 10 and text.isalnum() and _has_no_words(text)


def _has_no_words(text: str) -> bool:
    if text.islower() or text.isupper() or text.istitle() or not text.isascii():
        return False
    return _CAMEL_CASE.fullmatch(text) is None


_KINDS: Mapping[str, Callable[[str], str]] = {
    "quoted": _kind_of_quoted,
    "path": _kind_of_path,
    "token": _kind_of_token,
    "file": lambda _text: "path",
    "address": lambda _text: "host",
}
