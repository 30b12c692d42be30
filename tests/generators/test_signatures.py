"""Signatures verify with other people's code, are deterministic, and need the right kind of key."""

import base64

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.signers import ALGORITHMS, iot_signer, jws_signer, public_pem
from gatecrash.generators.credentials.tokens import JsonWebToken, base64url

SECRET = b"a secret of these tests that is longer than any hash is, sixty-four bytes"


@pytest.fixture(params=ALGORITHMS)
def algorithm(request):
    return request.param


@pytest.fixture
def key(algorithm, rsa_pem, ec_pems):
    return {"R": rsa_pem, "E": ec_pems.get(algorithm), "H": SECRET}[algorithm[0]]


@pytest.fixture
def verifying_key(algorithm, key):
    return key if algorithm.startswith("HS") else public_pem(key)


def test_what_is_minted_is_what_pyjwt_decodes(algorithm, key, verifying_key):
    claims = {"sub": "dévice", "n": 5, "nested": {"a": [1, None]}}
    token = JsonWebToken({"alg": algorithm, "kid": "k1"}, claims).compact(jws_signer(algorithm, key))
    assert jwt.decode(token, verifying_key, algorithms=[algorithm]) == claims
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": "k1"}


def test_signing_is_deterministic(algorithm, key):
    assert len({jws_signer(algorithm, key)(b"message") for _ in range(4)}) == 1
    assert jws_signer(algorithm, key)(b"message") != jws_signer(algorithm, key)(b"other")


def test_a_changed_token_does_not_verify(algorithm, key, verifying_key):
    sign = jws_signer(algorithm, key)
    token = JsonWebToken({"alg": algorithm}, {"sub": "a"}).compact(sign)
    other = JsonWebToken({"alg": algorithm}, {"sub": "b"}).signing_input.decode()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{other}.{token.rpartition('.')[2]}", verifying_key, algorithms=[algorithm])


@pytest.mark.parametrize("token", ["token", "tökén 😀", "", "x" * 6144])
def test_an_iot_signature_is_standard_base64_of_sha256_with_rsa(rsa_pem, token):
    signature = iot_signer(rsa_pem)(token)
    key = load_pem_private_key(rsa_pem, None).public_key()
    key.verify(base64.b64decode(signature, validate=True), token.encode(), PKCS1v15(), SHA256())
    assert iot_signer(rsa_pem)(token) == signature


def test_the_public_half_is_a_pem_that_is_no_private_key(rsa_pem):
    assert public_pem(rsa_pem).startswith("-----BEGIN PUBLIC KEY-----\n")
    assert "PRIVATE" not in public_pem(rsa_pem)


def test_an_algorithm_that_there_is_not_is_told_with_those_there_are():
    for name in ("none", "hs256", "PS256", ""):
        with pytest.raises(UsageError, match="it may be RS256, RS384, RS512, ES256, ES384, HS256, HS384, HS512"):
            jws_signer(name, SECRET)


def test_a_key_of_the_wrong_kind_is_told(rsa_pem, ec_pems):
    for algorithm, key, sentence in (
        ("RS256", ec_pems["ES256"], "is an elliptic-curve key, which RS256 can't use: name an RSA key"),
        ("ES256", rsa_pem, "is no secp256r1 key, which ES256 needs"),
        ("ES256", ec_pems["ES384"], "is no secp256r1 key, which ES256 needs"),
        ("ES384", ec_pems["ES256"], "is no secp384r1 key, which ES384 needs"),
        ("RS256", SECRET, "is no unencrypted PEM private key"),
        ("RS256", b"", "is no unencrypted PEM private key"),
        ("RS256", public_pem(rsa_pem).encode(), "is no unencrypted PEM private key"),
    ):
        with pytest.raises(UsageError, match=sentence):
            jws_signer(algorithm, key)
    with pytest.raises(UsageError, match="AWS IoT verifies RSA signatures alone: name an RSA key"):
        iot_signer(ec_pems["ES256"])


def test_an_encrypted_key_is_told(rsa_pem):
    encrypted = load_pem_private_key(rsa_pem, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    with pytest.raises(UsageError, match="is no unencrypted PEM private key"):
        iot_signer(encrypted)


def test_a_key_that_is_neither_rsa_nor_elliptic_curve_is_told():
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(UsageError, match="neither an RSA nor an elliptic-curve key"):
        public_pem(key)


@given(st.binary())
def test_base64url_has_no_padding_and_reads_back(data):
    text = base64url(data)
    assert "=" not in text
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == data


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3))
def test_a_tokens_parts_are_its_json(claims):
    header, payload = JsonWebToken({"alg": "none"}, claims).signing_input.decode().split(".")
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (header, payload)]
    assert [wire.decode(part) for part in parts] == [{"alg": "none"}, claims]
