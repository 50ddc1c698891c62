"""Takes secrets out of what is stored, logged, raised, shown or sent on. Pure; never raises.

A provider's body repeats what a customer sent: storage keys in query strings, passwords in
URLs, signed links, tokens in headers, our webhook URLs. What is recognised:

- values of parameters and fields whose name says so (`is_secret_name`), also in free text,
  in JSON within text, and within a URL that is percent-encoded into another one;
- user names and passwords before the `@` of a URL, whatever characters they hold;
- values after Bearer, Basic, Token; JSON web tokens, AWS key ids, private keys;
- the secret segment of `/hooks/<provider>/<id>/<secret>/`, and of a link to set a password;
- literal values handed in, plain, percent-encoded and in base64.

Where the end of a secret is uncertain, more is taken rather than less. Redacting twice
changes nothing.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from providers.parsing.times import read_epoch_s, read_time

# Letters only: it stays the same in a query, in a user name and percent-encoded.
REDACTED = "REDACTED"

# Replaces what is too large, too deep or too long to be searched.
CUT = "[cut]"
# Deeper than any provider's body by far, shallow enough for every recursive reader of it.
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_TEXT = 200_000
MAX_ROUNDS = 5

# Shorter ones are parts of ordinary words.
MIN_LITERAL = 4

# A name is secret by its last word: `access_token` is, `token_count` is not.
_SECRET_WORD = re.compile(
    "passw(or)?d|pwd|passphrase|passcode|secrets?|tokens?|sig(nature)?|hmac|credentials?"
    "|authorization|auth|jwt|bearer|cookies?|(api|secret|access)key"
)
# `key` alone is mostly an object's path or a name; after these it opens something.
_KEY_OWNER = re.compile(
    "api|access|secret|private|signing|signature|(en|de)crypt(ion)?|stream|account|shared"
    "|licen[cs]e|master|subscription|auth(entication)?|hmac|aes|drm|session|webhook|client"
    "|app|application|service|upload|storage|deploy|ssh|publish|ingest|rtmp|consumer|admin|root"
    "|preshared|integration|write|content"
)
_SECRET_PHRASES = (
    ("access", "key", "id"),
    ("access", "id"),
    ("key", "pair", "id"),
    ("password", "hash"),
    ("stream", "name"),  # what an RTMP encoder publishes with
    ("ftp", "pass"),
    ("user", "pass"),
    ("token", "hash"),
)
# Only within a query: elsewhere these name harmless things. `hdn...` and `gda` are Akamai's.
_SECRET_PARAM = re.compile("key|pass|policy|md5|hash|qak|qsignature|hdnts|hdnea|hdntl|gda")
_CLOUD_PREFIXES = ("xamz", "xgoog", "xoss")
_CLOUD_HARMLESS = frozenset({"date", "expires", "algorithm", "signedheaders"})

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# Anything worth a search; most strings of a body (states, codecs, times) are not.
_SUSPECT = re.compile(
    r"=|//|\\/|/hooks/|/invitations/|/confirm-email/|eyJ|A[KS]IA|PRIVATE KEY|%(?:25)*3a|bearer"
    r"|basic|token|key|secret|pass|pwd|auth|sig|hmac|cred|cookie|jwt",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END[^\n]*|\Z)", re.DOTALL
)
_ENCODED_URL = re.compile(
    r"[a-z][a-z0-9+.-]{1,15}%(?:25)*3a(?:%(?:25)*2f){2}[^\s\"<>&]*", re.IGNORECASE
)
_ANY_AUTHORITY = re.compile(r"//([^\s\"<>]+)")
_URL_AUTHORITY = re.compile(r"//(.+)", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:.]*\.[^:]*|localhost):\d*", re.ASCII)
# What our own links end in: those of webhooks and of invitations, and those of mails about a
# password (the page that follows is called `<user>-set-password`, for everybody) or an address.
_OWN_LINK = re.compile(
    r"(/hooks/[^/\s]{1,64}/[^/\s]{1,64}/|/invitations/\d{1,19}/(?=[0-9a-f]{64})"
    r"|/accounts/confirm-email/"
    r"|/password/reset/key/[0-9A-Za-z]{1,40}-(?!set-password(?![^/\s?#\"'<>])))[^/\s?#\"'<>]+"
)
_SCHEME = re.compile(
    r"\b(bearer|basic|token|apikey)([ \t]+)([\w.~+/=:-]+)", re.IGNORECASE | re.ASCII
)
_PARAM_NAME = r"[A-Za-z_$%][\w.$%\[\]-]{0,63}"
_PARAM = re.compile(rf"({_PARAM_NAME})([ ]?=[ ]?)", re.ASCII)
_NEXT = rf"(?!(?:amp;)?{_PARAM_NAME}=)"
_VALUE = re.compile(rf"\"[^\"]*\"?|'[^']*'?|[^\s\"<>&;]*(?:[&;]{_NEXT}[^\s\"<>&;]*)*", re.ASCII)
_URL_VALUE = re.compile(rf"[^&;]*(?:[&;]{_NEXT}[^&;]*)*", re.ASCII)
# The quotes may be escaped, up to three times: JSON within a string of JSON.
_JSON_PAIR = re.compile(
    r"(\\{0,8}[\"'])([A-Za-z][\w. -]{0,63})\1(\s{0,9}[:=]\s{0,9})"
    r"(?:(\\{0,8}[\"'])((?:(?!\4).){0,9999})|([\d.]+))",
    re.DOTALL | re.ASCII,
)
_COLON_PAIR = re.compile(
    r"\b([A-Za-z][\w-]{0,63}(?: key)?)([ ]?:[ ]{0,3})"
    r"((?:(?:bearer|basic|token|digest) +)?[^\s\"'<>]+)",
    re.IGNORECASE | re.ASCII,
)
# What JSON may write for a slash and an ampersand, within strings of JSON as well.
_ESCAPED = re.compile(r"(?<!\\)\\+(/|u0026)")
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}\.?[\w-]*", re.ASCII)
_AWS_KEY_ID = re.compile(r"(?<![A-Z0-9])A[KS]IA[A-Z0-9]{12,}")
_URL_START = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*\Z")
_QUERY_PAIR = re.compile(r"[?&;]([A-Za-z-]+)=([^&#\s]*)")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a field or header of this name holds a secret (`api_key`, `X-Auth-Token`)."""
    words = [word.lower() for word in _WORDS.findall(name[:200])]
    if not words:
        return False
    if words[-1] in {"key", "keys"} and len(words) > 1:
        return _KEY_OWNER.fullmatch(words[-2]) is not None
    return (
        _SECRET_WORD.fullmatch(words[-1]) is not None
        or words[-1].endswith("password")
        or any(tuple(words[-len(phrase) :]) == phrase for phrase in _SECRET_PHRASES)
    )


@lru_cache(maxsize=4096)
def is_secret_param(name: str) -> bool:
    """Whether a parameter of a URL's query of this name holds a secret or signs the URL."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    for prefix in _CLOUD_PREFIXES:
        if letters.startswith(prefix):
            return letters.removeprefix(prefix) not in _CLOUD_HARMLESS
    return (
        _SECRET_PARAM.fullmatch(letters) is not None
        or letters.endswith("accesskeyid")
        or is_secret_name(name)
    )


def redact(value: Any, secrets: Iterable[str] = ()) -> Any:
    """Return a JSON value of the same shape without secrets.

    What a secret name holds becomes REDACTED, unless it is empty, true or false. What is
    not JSON becomes text. Beyond MAX_DEPTH and MAX_NODES it becomes CUT.
    """
    return _Redaction(_literals(secrets)).redact(value, 0)


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return free text without secrets; URLs in it stay recognisable."""
    return _redact_text(str(text), _literals(secrets))


def redact_url(url: str, secrets: Iterable[str] = ()) -> str:
    """Return a URL without secrets; all of the string is one URL."""
    text = _bound(str(url))
    literals = _literals(secrets)
    if literals is not None:
        text = literals.sub(REDACTED, text)
    return _redact(text, is_url=True) if _SUSPECT.search(text) else text


def has_marker(value: Any) -> bool:
    """Whether REDACTED is anywhere in a JSON value, the names of its fields included."""
    return REDACTED in json.dumps(value, default=str)


def split_url(url: str, secrets: Iterable[str] = ()) -> tuple[str, str | None]:
    """Return (redacted, original): the second only when redaction took something away."""
    redacted = redact_url(url, secrets)
    return redacted, (url if redacted != url else None)


def url_expiry(url: str) -> datetime | None:
    """When a signed link stops working, where it says so; also from a redacted one.

    AWS and Google (date and lifetime, or `Expires` as seconds since 1970), CloudFront, Azure.
    """
    params = {name.lower(): unquote(value) for name, value in _QUERY_PAIR.findall(str(url))}
    for cloud in ("amz", "goog", "oss"):
        try:
            signed_at = datetime.strptime(params[f"x-{cloud}-date"], "%Y%m%dT%H%M%S%z")
            return signed_at + timedelta(seconds=int(params[f"x-{cloud}-expires"]))
        except (KeyError, ValueError, OverflowError):
            continue
    if "sig" in params and "se" in params:
        return read_time(params["se"], UTC)
    return read_epoch_s(params.get("expires"))


class _Redaction:
    """One traversal of a value, with what is left of the budget of nodes."""

    def __init__(self, literals: re.Pattern[str] | None) -> None:
        self.literals = literals
        self.nodes_left = MAX_NODES

    def redact(self, value: Any, depth: int) -> Any:
        self.nodes_left -= 1
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth > MAX_DEPTH or self.nodes_left < 0:
            return CUT
        if isinstance(value, str):
            return _redact_text(value, self.literals)
        if isinstance(value, Mapping):
            return self._redact_mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.redact(item, depth + 1) for item in value]
        return _redact_text(_to_text(value), self.literals)

    def _redact_mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        # {"name": "Authorization", "value": "..."}: headers are often written like that.
        label = next((value[key] for key in ("name", "key", "header") if key in value), None)
        is_labelled = isinstance(label, str) and is_secret_name(label)
        redacted = {}
        for key, item in value.items():
            name = _to_text(key)
            is_secret = is_secret_name(name) or (is_labelled and name == "value")
            redacted[_redact_text(name, self.literals)] = (
                _blank(name, item) if is_secret else self.redact(item, depth + 1)
            )
        return redacted


def _blank(name: str, value: Any) -> Any:
    if not value or isinstance(value, bool):
        return value if value is None or isinstance(value, bool | int | float | str) else REDACTED
    # {"tokens": 512} is a count
    is_count = isinstance(value, int | float) and name.lower().endswith("tokens")
    return value if is_count else REDACTED


def _to_text(value: Any) -> str:
    try:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    except Exception:  # a stranger's __str__ may raise anything
        return CUT


def _literals(secrets: Iterable[str]) -> re.Pattern[str] | None:
    return _compile_literals(tuple(secret for secret in secrets if isinstance(secret, str)))


@lru_cache(maxsize=128)
def _compile_literals(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Make one pattern of all literal secrets, longest first, in every form they travel in."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= MIN_LITERAL:
            forms |= {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
            in_json = json.dumps(secret)[1:-1]
            forms |= {in_json, in_json.replace("/", r"\/").replace("&", r"\u0026")}
            # As the user name or the password of basic authentication, too.
            for plain in (secret, f"{secret}:", f":{secret}"):
                encoded = base64.b64encode(plain.encode("utf-8", "replace")).decode()
                forms |= {encoded, encoded.rstrip("=")}
    if not forms:
        return None
    ordered = sorted(forms, key=len, reverse=True)
    # What was redacted before comes first, so that no secret is found within the marker.
    return re.compile("|".join(re.escape(form) for form in [REDACTED, *ordered]))


def _redact_text(text: str, literals: re.Pattern[str] | None) -> str:
    # the names of fields, states, codecs: bodies repeat them all the time
    return (_redact_short if len(text) <= 64 else _redact_any)(text, literals)


@lru_cache(maxsize=4096)
def _redact_short(text: str, literals: re.Pattern[str] | None) -> str:
    return _redact_any(text, literals)


def _redact_any(text: str, literals: re.Pattern[str] | None) -> str:
    text = _bound(text)
    if literals is not None:
        text = literals.sub(REDACTED, text)
    if not _SUSPECT.search(text):
        return text
    # a value without a space that is a URL holds whatever its password may hold
    return _redact(text, is_url=_URL_START.match(text) is not None)


def _bound(text: str) -> str:
    """Cut at a space, so that no half of a secret is left behind unrecognised."""
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[: MAX_TEXT // 4].rpartition(' ')[0]} {CUT}".lstrip()


def _redact(text: str, *, is_url: bool, depth: int = 0) -> str:
    """Search until nothing more is found: one secret can hide where the next one begins."""
    for _ in range(MAX_ROUNDS):
        redacted = _redact_once(text, is_url=is_url, depth=depth)
        if redacted == text:
            break
        text = redacted
    return text


def _redact_once(text: str, *, is_url: bool, depth: int) -> str:
    """Take off JSON's escapes as well, where a secret was behind them."""
    plain = _ESCAPED.sub(lambda found: "/" if found[1] == "/" else "&", text)
    if plain != text:
        redacted = _redact_plain(plain, is_url=is_url, depth=depth)
        if redacted != plain:
            return redacted
    return _redact_plain(text, is_url=is_url, depth=depth)


def _redact_plain(text: str, *, is_url: bool, depth: int) -> str:
    text = _PRIVATE_KEY.sub(REDACTED, text)
    if depth < 2:
        text = _ENCODED_URL.sub(lambda found: _redact_encoded(found[0], depth), text)
    text = (_URL_AUTHORITY if is_url else _ANY_AUTHORITY).sub(
        lambda found: "//" + _redact_userinfo(found[1]), text
    )
    text = _OWN_LINK.sub(rf"\1{REDACTED}", text)
    text = _SCHEME.sub(_redact_scheme, text)
    text = _redact_params(text, _URL_VALUE if is_url else _VALUE)
    text = _JSON_PAIR.sub(_redact_json_pair, text)
    text = _COLON_PAIR.sub(_redact_colon_pair, text)
    text = _JWT.sub(REDACTED, text)
    return _AWS_KEY_ID.sub(REDACTED, text)


def _redact_encoded(encoded: str, depth: int) -> str:
    plain = unquote(encoded)
    redacted = _redact(plain, is_url=True, depth=depth + 1)
    return encoded if redacted == plain else quote(redacted, safe="")


def _redact_userinfo(rest: str) -> str:
    """Take the user and password off what follows `//`.

    Passwords with an unescaped `@`, `/` or `?` are common in storage URLs, so the end of
    the user information is the last `@` that can be it, not the first.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if at and ":" not in user:
        return f"{REDACTED}@{rest[len(user) + 1 :]}"
    if at:
        end = re.split(r"[?#]", rest, maxsplit=1)[0].rfind("@")
        return f"{REDACTED}@{rest[end + 1 :]}"
    if ":" not in authority or "@" not in rest or _HOST_AND_PORT.fullmatch(authority):
        return rest
    return f"{REDACTED}@{rest.rpartition('@')[2]}"


def _redact_scheme(found: re.Match[str]) -> str:
    scheme, space, value = found.groups()
    # "Bearer token", "basic authentication", "token expired" are prose.
    text = value.rstrip(".:")
    is_prose = text.isalpha() and (text.islower() or len(text) < 8)
    return found[0] if is_prose or len(value) < 6 else f"{scheme}{space}{REDACTED}"


def _redact_params(text: str, value_pattern: re.Pattern[str]) -> str:
    pieces: list[str] = []
    done = 0
    while found := _PARAM.search(text, done):
        name = re.split(r"[?&;#/]", unquote(found[1]))[-1]
        is_in_query = text[found.start() - 1 : found.start()] in {"?", "&", ";", "#"}
        pieces.append(text[done : found.end()])
        done = found.end()
        if is_secret_param(name) if is_in_query else is_secret_name(name):
            value = value_pattern.match(text, done)
            if value is not None and value[0] and value[0].lower() not in {"true", "false"}:
                pieces.append(REDACTED)
                done = value.end()
    pieces.append(text[done:])
    return "".join(pieces)


def _redact_json_pair(found: re.Match[str]) -> str:
    if not is_secret_name(found[2]) or (found[5] == "" and found[6] is None):
        return found[0]
    name = f"{found[1]}{found[2]}{found[1]}{found[3]}"
    return f"{name}{found[4] or ''}{REDACTED}"


def _redact_colon_pair(found: re.Match[str]) -> str:
    """`X-Api-Key: abc`, `password: hunter2`, but not `invalid token: expected`."""
    name, colon, value = found.groups()
    if not is_secret_name(name) or value.startswith("//"):
        return found[0]
    is_prose = len(_WORDS.findall(name)) == 1 and value.isalpha() and value.islower()
    return found[0] if is_prose else f"{name}{colon}{REDACTED}"
