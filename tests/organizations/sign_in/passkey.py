"""A passkey in software, which answers as a browser would."""

import hashlib
import json
import re
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def options_on(page: Any) -> dict[str, Any]:
    found = re.search(r'id="passkey-options"[^>]*>(.*?)</script>', page.content.decode())
    assert found
    options: dict[str, Any] = json.loads(found[1])
    return options


class Passkey:
    """`is_verified`: whether the device asked who is using it."""

    def __init__(
        self,
        origin: str = "http://localhost:8000",
        *,
        is_verified: bool = True,
        has_stolen_key: bool = False,
    ) -> None:
        self.origin = origin
        self.has_stolen_key = has_stolen_key
        self.flags = PRESENT | (VERIFIED if is_verified else 0)
        self.id = secrets.token_bytes(16)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._user = ""

    def imitate(self, other: "Passkey") -> None:
        """Give the other's name out for one's own."""
        self.id, self._user = other.id, other._user
        if self.has_stolen_key:
            self._key = other._key

    def create(self, options: dict[str, Any]) -> dict[str, str]:
        """The field of the form, for `creation_options`."""
        asked = options["creation_options"]["publicKey"]
        self._user = asked["user"]["id"]
        public_key = ES256.from_cryptography_key(self._key.public_key())
        credential = AttestedCredentialData.create(bytes(16), self.id, public_key)
        data = self._data(asked["rp"]["id"], ATTESTED, credential)
        response = {
            "clientDataJSON": websafe_encode(self._client_data("create", asked["challenge"])),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
            "transports": ["internal"],
        }
        return self._field(response)

    def get(self, options: dict[str, Any]) -> dict[str, str]:
        """The field of the form, for `request_options`."""
        asked = options["request_options"]["publicKey"]
        data = self._data(asked["rpId"], 0)
        client_data = self._client_data("get", asked["challenge"])
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self._key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": self._user,
        }
        return self._field(response)

    def _data(self, rp_id: str, flags: int, credential: bytes = b"") -> AuthenticatorData:
        digest = hashlib.sha256(rp_id.encode()).digest()
        return AuthenticatorData.create(
            digest, AuthenticatorData.FLAG(self.flags | flags), 0, credential
        )

    def _client_data(self, act: str, challenge: str) -> bytes:
        content = {"type": f"webauthn.{act}", "challenge": challenge, "origin": self.origin}
        return json.dumps(content).encode()

    def _field(self, response: dict[str, Any]) -> dict[str, str]:
        name = websafe_encode(self.id)
        credential = {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }
        return {"credential": json.dumps(credential)}
