"""The attacker's own keys: made up for these attacks, and worth nothing anywhere else."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gatecrash.generators.credentials.signers import Signer, jws_signer
from gatecrash.generators.credentials.tokens import base64url

# A place on the attacker's own machine: nothing listens there, and nothing outside is ever asked.
SINK: Final = "http://127.0.0.1:9/gatecrash"

_RSA: Final = b"""\
-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCQcvpih53nSEBz
O+Eg4VsDoHZV6DNzRYvTZyWoXz5hXVd9qrfc/7O0qMoZsXXhrLeMjk+8ny7bn9Rt
nC7fybRhLhLttrxSqx2m7loAfloda3XiB4OC8nZgpg7CEJK/X2wK19Qk6AOYUbLG
nMcLciLR0NwOznxjcvigL8l1rINMM676FJ7uEZjLttt4Sv0tnV+ZwoC+T9irt/XV
O/f8W5i09zPKQWmFIRXy16ANK2cy/adqCeIfszuhjAWLyTDmoQHmrTlt7mEU+MPR
cQE/Raws8fe6knk7gtcsO3+hGP8e8DDDthZHSKycwrdhys5AsL6WOzGGOJ14cYJ+
aPlj0He1AgMBAAECggEABlfCJl7xoFUEHXtA4rZ6jmF2qMWKMtLYNbd3CBpsjQ5x
987uBWqF+9YYj8HC3R6+LZIXLr9nqZWuWITN6x46iTTieGU4hkHEys53DcP+lYGh
OsRdMjwO1iYcikl7hCM+xYgeJOO6Oq9FtCJwvBAuNrve2diXzi8fezs187CYUFl4
vJG5wX7fOAwKtlgbmmYDBLaK8pWGK+/JTa2C0OCrlrB+tGfiBZNPz4RL5GpExzO3
mWVS6ed0kDUHoB4JGcbuTIKgVyidqYaLKEbx/hJeW4o5Oo3mLauhi/RX1U3ckJNw
ePh53ibiJMBlfDpFI25bjYLT6YTTTqAiji642adGCQKBgQDHW6kQ8BlIs8agRTI9
59okVGEzSzD0nALJlR5ixujJRpr17lmb5irdZpklb0vM1pWld8yCaSxWSJtc6TQr
tHZ5f6dRmvs+2ulbJj6J/+maZaF5QdXm5mjBOKk80OZPjbogVS7iVpUvAL6Js4qw
9nUN27deeWEeFXImIxFfvB+pLQKBgQC5fYJG31Wth33DYf5l3metsiu2ivEZWdYF
iNVTs2ovL17PAOHTw0WJlPmFpqTOeI/g7sFFifhuktJLWWCVCT4THbStdtZTveaE
Jo0RdJGyBeOyPjDMGs5/DFV0X0rfNcL4T07tyQDbsXOk/C1x8C91wsbFvgaYJMxq
fsR1yyyNqQKBgQDCoYNizPXyW8msiUHu3F/Fnjeza1JlTbcO9S3QQ9/bObpqJgSI
RuNMejFEMe9wEYPSIy6fl2y45HQB9o9/p9UO84j4C/YEvJac7a6a7iU0HsrR5mud
3Q8irV3UySJBQt4XWPLH+L33QKPFLmtWL5fCKuNQMfKV+1wRTaVVsQW8FQKBgQCG
6lc7nW4ADbDX0ArtpVrb5+ALofvDaKhW1jPz8WemcloPTqDzGfEWJRlosNDmrKJa
BM7m+XeNVZVH4PZy8IoJ9W1ZTjqOJm3oaPHqZFMknUwEdV+g1U6k8h+lyTn4KG5r
laPfKHhLU0K+Gf4kBYM/sDBL2++H8hwMya+zzdfWIQKBgDv7NtlokEWW9K3ioCd5
5J0VQfVRb5pqqIMK4C2J1fUtnzATF4OrXhOEO84CG1vPoqAsKySRswZDlM3TTDtg
t+o2d4YlhGN/WesudTGyiTnT5IkED/A3YQOC+7qPWICmpa9PuJ2up88oqnDuh73e
+PYAYZO9WOqUEhqvcJmVtIkG
-----END PRIVATE KEY-----
"""

_ELLIPTIC_CURVE: Final = b"""\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpKShe0tDDxH+jP9E
b0ZIGEBBwdpV0HLJzodtiNHV6i+hRANCAASgrwi1pvYDkPqJ2WfJEJSCG31VP3Vh
wPCAOGU2gjLGEaJBSlZmwEka8XLSrwBFx0kODweHYB8zfri/XgFuBJvu
-----END PRIVATE KEY-----
"""

CERTIFICATE: Final = (
    "MIICtTCCAZ2gAwIBAgIBATANBgkqhkiG9w0BAQsFADAdMRswGQYDVQQDDBJnYXRlY3Jhc2ggYXR0YWNrZXIwIBcNMjAwMTAxMDAw"
    "MDAwWhgPMjEyMDAxMDEwMDAwMDBaMB0xGzAZBgNVBAMMEmdhdGVjcmFzaCBhdHRhY2tlcjCCASIwDQYJKoZIhvcNAQEBBQADggEP"
    "ADCCAQoCggEBAJBy+mKHnedIQHM74SDhWwOgdlXoM3NFi9NnJahfPmFdV32qt9z/s7SoyhmxdeGst4yOT7yfLtuf1G2cLt/JtGEu"
    "Eu22vFKrHabuWgB+Wh1rdeIHg4LydmCmDsIQkr9fbArX1CToA5hRssacxwtyItHQ3A7OfGNy+KAvyXWsg0wzrvoUnu4RmMu223hK"
    "/S2dX5nCgL5P2Ku39dU79/xbmLT3M8pBaYUhFfLXoA0rZzL9p2oJ4h+zO6GMBYvJMOahAeatOW3uYRT4w9FxAT9FrCzx97qSeTuC"
    "1yw7f6EY/x7wMMO2FkdIrJzCt2HKzkCwvpY7MYY4nXhxgn5o+WPQd7UCAwEAATANBgkqhkiG9w0BAQsFAAOCAQEALVsakD1xME9t"
    "jj4o3hn9z4T2djWMt+ZbSfpEuOTC+lKspF14PY5RqzyF0xllJu12zlPnLYPr0yFjyDnX2RWd+L0GWLr+LrisHAjbCW5RkTbQaHBP"
    "KApNNjK0guSFJ2KnPacLgBAow6HTJnPN8UdqrC90GgwPXyq3xl07OpKyvWqRE5u5o2vXXy+2bZV1SHBqjsz60NH7Qp4iCkHrWYPs"
    "QeBygmO3HX12uC70rpvmkQ/WNPo5Uo0KRrIpBdThd7gzi7oDB/zVkQQsc7XnuSi4NtijoCr93Gpfg2/zbt0/zhn1ymq7+e+8Rq8I"
    "OOL5eiyMqiFUG0IfmTnvrGyXdqCLUA=="
)


def algorithm_of(algorithm: str) -> str:
    """Return the algorithm that the attacker signs with in place of a device's."""
    return algorithm if algorithm[:2] in {"RS", "HS"} else "ES256"


@lru_cache(maxsize=16)
def signer(algorithm: str) -> Signer:
    """Return what signs with the attacker's key."""
    if algorithm.startswith("HS"):
        return jws_signer(algorithm, base64.b64encode(_RSA)[:64])
    return jws_signer(algorithm, _RSA if algorithm.startswith("RS") else _ELLIPTIC_CURVE)


@lru_cache(maxsize=16)
def json_web_key(algorithm: str) -> dict[str, Any]:
    """Return the attacker's public key as a JWK (RFC 7517)."""
    if algorithm.startswith("HS"):
        return {"kty": "oct", "kid": "gatecrash", "k": base64url(base64.b64encode(_RSA)[:64])}
    key = serialization.load_pem_private_key(_RSA if algorithm.startswith("RS") else _ELLIPTIC_CURVE, password=None)
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "kid": "gatecrash", "use": "sig", "n": _number(numbers.n), "e": _number(numbers.e)}
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - there are only these two
    point = key.public_key().public_numbers()
    return {"kty": "EC", "kid": "gatecrash", "crv": "P-256", "x": _number(point.x), "y": _number(point.y)}


def _number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
