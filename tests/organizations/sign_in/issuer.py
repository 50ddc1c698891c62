"""An OpenID Connect issuer, served over HTTP on this machine."""

import base64
import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "reelboard-of-the-tests", "a-secret-of-that-client"
CONFIGURATION = "/.well-known/openid-configuration"


class Issuer:
    """Signs everybody in at once, as whoever `claims` says."""

    def __init__(self) -> None:
        self.url = ""
        self.claims: dict[str, Any] = {}
        # what is sent in place of an answer, by its path
        self.answers: dict[str, Any] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._codes = itertools.count()
        self._granted: dict[str, dict[str, str]] = {}

    def answer(self, path: str, sent: dict[str, str]) -> Any:
        if path in self.answers:
            return self.answers[path]
        if path == "/token":
            return self._token(sent)
        return {
            CONFIGURATION: self._configuration(),
            "/jwks": self._jwks(),
            "/userinfo": self.claims,
        }[path]

    def authorize(self, asked: dict[str, str]) -> str:
        """The URL to go back to, with a code."""
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert set(asked["scope"].split()) == {"openid", "profile", "email"}
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{next(self._codes)}"
        self._granted[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _token(self, sent: dict[str, str]) -> dict[str, Any]:
        asked = self._granted.pop(sent["code"])
        assert (sent["client_id"], sent["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        assert sent["redirect_uri"] == asked["redirect_uri"]
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        now = int(time.time())
        claims = self.claims | {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60}
        id_token = jwt.encode(claims, self._key, "RS256", {"kid": "1"})
        return {"access_token": "an-access-token", "token_type": "Bearer", "id_token": id_token}

    def _jwks(self) -> dict[str, Any]:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": "1", "alg": "RS256", "use": "sig"}]}


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", issuer.authorize(dict(parse_qsl(parts.query))))
                self.end_headers()
                return
            self._send(issuer.answer(parts.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(issuer.answer(self.path, dict(parse_qsl(body))))

        def _send(self, answer: Any) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serve() -> Iterator[Issuer]:
    issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issuer))
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
