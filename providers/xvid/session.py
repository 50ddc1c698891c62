"""Signing in at Xvid: https://mediahub.xvid.com/manual/api/oauth2/token/POST.html"""

from providers.core.errors import AuthRefused, BadAnswer, unambiguous
from providers.http.answers import error_by_status
from providers.http.client import HttpClient
from providers.http.tokens import TOKENS, Token
from providers.parsing.values import read_dict, read_float, read_text

# A token whose answer does not say how long it lasts is used this long.
DEFAULT_LIFE_S = 300.0

_refuse_sign_in = error_by_status(
    AuthRefused,
    dict.fromkeys(
        (400, 401, 403), "Xvid gave no access token: the client id or the secret is wrong."
    ),
)


def sign_in(http: HttpClient, base_url: str, client_id: str, client_secret: str) -> Token:
    """The grant type is Xvid's own: RFC 6749 calls it client_credentials."""
    form = {
        "grant_type": "client_credential",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    asked_at = TOKENS.clock()
    with unambiguous():
        answer = http.send("POST", f"{base_url}/oauth2/token/", form=form, classify=_refuse_sign_in)
    body = read_dict(answer.data)
    value = read_text(body.get("access_token"), 8000)
    if value is None:
        raise BadAnswer("Xvid's answer to the sign-in holds no access token.")
    life_s = read_float(body.get("expires_in"))  # a number, or the same as text
    return Token(value, asked_at + (DEFAULT_LIFE_S if life_s is None else life_s))
