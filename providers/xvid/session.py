"""Signing in at Xvid and sending with the token that comes of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from providers.core.contract import Account
from providers.core.errors import AuthRefused, BadAnswer, ProviderError, Withdrawn
from providers.http.answers import Answer, read_error, read_words
from providers.http.client import HttpClient
from providers.http.redaction import redact_url
from providers.parsing.values import read_dict, read_float, read_text
from providers.xvid.tokens import TOKENS, Token, owner_of

# A token whose answer does not say how long it lasts is used this long.
UNTOLD_LIFE_S = 300.0


@contextmanager
def nothing_created() -> Iterator[None]:
    """What fails before a job is sent leaves no doubt whether it exists."""
    try:
        yield
    except ProviderError as error:
        error.ambiguous = False
        raise


class Session:
    """Sends for one account. Raises only `ProviderError`.

    Paths of collections end with a slash, those of single things do not: the API answers 404
    to the other way.
    """

    def __init__(self, account: Account, http: HttpClient) -> None:
        self.base_url = account.base_url.rstrip("/")
        self._http = http
        self._client_id = account.credentials.get("client_id", "")
        self._client_secret = account.credentials.get("client_secret", "")
        self._owner = owner_of(self.base_url, self._client_id, self._client_secret)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        renew: bool = True,
    ) -> Answer:
        """Send with a token; once more with a new one when it is refused, as when it ended.

        A refused request was not carried out, so sending it again makes nothing twice.
        """
        token = TOKENS.get(self._owner, self._sign_in)
        try:
            return self._send_with(token, method, path, params, json)
        except AuthRefused:
            if not renew:
                raise
        token = TOKENS.get(self._owner, self._sign_in, refused=token)
        return self._send_with(token, method, path, params, json)

    def _send_with(
        self,
        token: str,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        json: Any,
    ) -> Answer:
        url = self.base_url + path
        call = f"{method} {redact_url(url)}"
        secrets = (token, self._client_id, self._client_secret)
        return self._http.send(
            method,
            url,
            headers={"Authorization": f"Bearer {token}"},
            params=params,
            json=json,
            classify=lambda answer: _name_error(answer, call, secrets),
        )

    def _sign_in(self) -> Token:
        """https://mediahub.xvid.com/manual/api/oauth2/token/POST.html

        The grant type is Xvid's own: RFC 6749 calls it client_credentials.
        """
        form = {
            "grant_type": "client_credential",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        asked_at = TOKENS.clock()
        with nothing_created():
            answer = self._http.send(
                "POST", f"{self.base_url}/oauth2/token/", form=form, classify=_refuse_sign_in
            )
        body = read_dict(answer.data)
        value = read_text(body.get("access_token"), 8000)
        if value is None:
            raise BadAnswer("Xvid's answer to the sign-in holds no access token.")
        life_s = read_float(body.get("expires_in"))  # a number, or the same as text
        return Token(value, asked_at + (UNTOLD_LIFE_S if life_s is None else life_s))


def _name_error(answer: Answer, call: str, secrets: tuple[str, ...]) -> ProviderError:
    """The standard meaning of the status, with Xvid's own code, and what a 403 may be.

    A job that is gone is told in JSON; a web page is about the address.
    """
    if answer.status in {404, 410} and "html" in answer.headers.get("content-type", ""):
        return Withdrawn(
            f"Xvid's API is not at this address: it answers with a web page ({answer.status}). "
            "Check the base URL and its version.",
            code=str(answer.status),
        )
    # the token is no credential of the account, so the client does not know it for a secret
    error = read_error(answer, call, secrets).quote(read_words(answer.data), secrets)
    told = read_dict(read_dict(answer.data).get("error"))
    code = read_text(told.get("error_code"), 40) or error.code
    if not isinstance(error, AuthRefused):
        error.code = code
        return error
    return AuthRefused(
        f"{error.message.rstrip('.')}. The application may lack the scope mediahub_read, or "
        "mediahub_write to create and cancel jobs.",
        code=code,
        secrets=secrets,
    ).quote(error.words)


def _refuse_sign_in(answer: Answer) -> ProviderError | None:
    if answer.status not in {400, 401, 403}:
        return None
    return AuthRefused(
        f"Xvid gave no access token ({answer.status}): the client id or the secret is wrong.",
        code=str(answer.status),
    )
