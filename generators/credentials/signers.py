"""Signing: JWS algorithms (RFC 7518) and IoT token signatures (SHA256withRSA).

All of them deterministic, ECDSA by RFC 6979, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gatecrash.authorizers.errors import UsageError

Signer = Callable[[bytes], bytes]

_HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_CURVES: Final = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48)}
# Private keys take most of the time that a corpus takes; a device's token is the same in all cases that may share it.
_SIGNATURES_KEPT: Final = 16_384
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "HS256", "HS384", "HS512")


def jws_signer(algorithm: str, key: bytes) -> Signer:
    """Return what signs for a JWS algorithm; ``key`` is PEM for RS and ES, the secret for HS.

    What a private key signed is remembered. Raises UsageError when the algorithm is unknown, or the key isn't one for
    it.
    """
    if algorithm not in ALGORITHMS:
        raise UsageError(f"credentials.algorithm is {algorithm!r}; it may be {', '.join(ALGORITHMS)}")
    if algorithm.startswith("HS"):
        return lambda message: hmac.digest(key, message, f"sha{algorithm[2:]}")
    if algorithm.startswith("RS"):
        choice = f"which {algorithm} can't use: name an RSA key, or set credentials.algorithm to ES256 or ES384"
        return _rsa_signer(_rsa_key(key, choice), _HASHES[algorithm[2:]]())
    return _ecdsa_signer(key, algorithm)


def iot_signer(key: bytes) -> Callable[[str], str]:
    """Return what signs a token as AWS IoT verifies it: base64 of SHA256withRSA over its UTF-8 text."""
    private = _rsa_key(key, "but AWS IoT verifies RSA signatures alone: name an RSA key")
    sign = _rsa_signer(private, hashes.SHA256())
    return lambda token: base64.b64encode(sign(token.encode("utf-8", "surrogatepass"))).decode("ascii")


def public_pem(key: bytes) -> str:
    """Return the public half, PEM, of a private key."""
    encoded = (
        _private_key(key)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return encoded.decode("ascii")


def public_spellings(key: bytes) -> tuple[bytes, ...]:
    """Return the public half of a private key in the spellings in which servers keep it: PEM, DER, SSH, JWK.

    They are what an attacker keys an HMAC with in the confusion of algorithms (RFC 8725 section 2.1).
    """
    public = _private_key(key).public_key()
    pem = public_pem(key).encode()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    if isinstance(public, rsa.RSAPublicKey):
        number = public.public_numbers().n
        modulus = number.to_bytes((number.bit_length() + 7) // 8, "big")
        pkcs1 = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        return pem, pem.strip(), der, ssh, modulus, pkcs1
    return pem, pem.strip(), der, ssh


def pss_signer(key: bytes) -> Signer:
    """Return what signs by RSASSA-PSS with SHA-256 and no salt, so that the same token has the same signature."""
    private = _rsa_key(key, "which RSASSA-PSS can't use: name an RSA key")
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 0)
    return lambda message: private.sign(message, scheme, hashes.SHA256())


def iot_signatures_of_other_kinds(key: bytes, token: str) -> dict[str, bytes]:
    """Return signatures that are right by another scheme than SHA256withRSA, by the scheme's name."""
    private = _private_key(key)
    if not isinstance(private, rsa.RSAPrivateKey):
        return {}
    message = token.encode("utf-8", "surrogatepass")
    return {
        "SHA1withRSA": private.sign(message, padding.PKCS1v15(), hashes.SHA1()),  # noqa: S303 - what is to be refused
        "SHA512withRSA": private.sign(message, padding.PKCS1v15(), hashes.SHA512()),
        "SHA256withRSA/PSS": pss_signer(key)(message),
    }


@lru_cache(maxsize=16)
def _private_key(key: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError(
            "credentials.private_key is no unencrypted PEM private key: name a file that begins with "
            "'-----BEGIN PRIVATE KEY-----'"
        ) from None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UsageError("credentials.private_key is neither an RSA nor an elliptic-curve key")
    return private


def _rsa_key(key: bytes, choice: str) -> rsa.RSAPrivateKey:
    private = _private_key(key)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise UsageError(f"credentials.private_key is an elliptic-curve key, {choice}")
    return private


def _rsa_signer(private: rsa.RSAPrivateKey, digest: hashes.HashAlgorithm) -> Signer:
    return lru_cache(maxsize=_SIGNATURES_KEPT)(lambda message: private.sign(message, padding.PKCS1v15(), digest))


def _ecdsa_signer(key: bytes, algorithm: str) -> Signer:
    private = _private_key(key)
    curve, size = _CURVES[algorithm]
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != curve:
        raise UsageError(
            f"credentials.private_key is no {curve} key, which {algorithm} needs: name one, or set "
            "credentials.algorithm to that of your key, such as RS256"
        )
    method = ec.ECDSA(_HASHES[algorithm[2:]](), deterministic_signing=True)

    @lru_cache(maxsize=_SIGNATURES_KEPT)
    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(message, method))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign
