"""Token signatures as AWS IoT verifies them: RSASSA-PKCS1-v1_5 with SHA-256 over the token's UTF-8 bytes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gatecrash.authorizers.errors import InvalidRequestError
from gatecrash.authorizers.limits import SIGNING_KEY_BITS

# The lines matter: AWS refuses a PEM on one line, skips what stands before it, and keeps the value as it was given.
_PEM: Final = re.compile(
    r"-----BEGIN (?P<label>(?:RSA )?PUBLIC KEY)-----[ \t]*\r?\n[A-Za-z0-9+/=\s]+\n-----END (?P=label)-----"
)


def any_key_verifies(keys: Iterable[str], token: str, signature: str) -> bool:
    """Say whether one of the PEM public keys verifies a base64 signature (standard alphabet) of the token."""
    try:
        raw = base64.b64decode(signature.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    message = token.encode("utf-8", "surrogatepass")
    return any(_verifies(key, message, raw) for key in keys)


def _verifies(pem: str, message: bytes, signature: bytes) -> bool:
    key = _load(pem)
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=256)
def _load(pem: str) -> PublicKeyTypes | None:
    match = _PEM.search(pem)
    if match is None:
        return None
    try:
        return load_pem_public_key(match[0].encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        return None


def check_public_key(authorizer_name: str, key_name: str, pem: str) -> None:
    """Raise InvalidRequestError with AWS's message for what can't be a token signing public key.

    AWS says "must be 2048 bits" to smaller keys; its own tutorial makes keys of 4096, so larger ones are taken.
    """
    key = _load(pem)
    if key is None:
        raise InvalidRequestError(f"Cannot convert public key PEM for authorizer {authorizer_name} to RSA key")
    prefix = f"Authorizer {authorizer_name} public key for key name {key_name}"
    if not isinstance(key, RSAPublicKey):
        raise InvalidRequestError(f"{prefix} not a valid RSA key")
    if key.key_size < SIGNING_KEY_BITS:
        raise InvalidRequestError(f"{prefix} invalid: Key must be {SIGNING_KEY_BITS} bits but was {key.key_size} bits")
