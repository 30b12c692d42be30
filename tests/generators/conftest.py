"""Keys, made when the tests run, and the profiles that use them."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="session")
def rsa_pem():
    return pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="session")
def ec_pems():
    return {
        "ES256": pem_of(ec.generate_private_key(ec.SECP256R1())),
        "ES384": pem_of(ec.generate_private_key(ec.SECP384R1())),
    }


@pytest.fixture(scope="session")
def files(tmp_path_factory, rsa_pem, ec_pems):
    """The files that credential settings name."""
    folder = tmp_path_factory.mktemp("credentials")
    (folder / "rsa.pem").write_bytes(rsa_pem)
    (folder / "ec.pem").write_bytes(ec_pems["ES256"])
    (folder / "secret.txt").write_bytes(b"a secret that only these tests use\n")
    rows = [{"username": f"user-{i}", "password": f"pässword-{i}", "client_id": f"client-{i}"} for i in range(5)]
    (folder / "users.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    (folder / "one_user.jsonl").write_text(json.dumps(rows[0]))
    (folder / "keys.csv").write_text("key,tenant\nkey-one-1,red\nkey-two-2,blue\nkey-three-3,red & green\n")
    (folder / "one_key.csv").write_text("key,tenant\nkey-one-1,red\n")
    (folder / "own.py").write_text(OWN)
    return folder


OWN = """
IDENTITIES = 3
LIFETIME = 600


def credential(identity, salt, minted_at):
    return {"mqttContext": {"username": f"u{identity}", "password": "Z29vZA==", "clientId": f"c{identity}"}}


def denied(identity, salt, minted_at):
    return {"mqttContext": {"username": f"u{identity}", "password": "YmFk", "clientId": f"c{identity}"}}
"""


@pytest.fixture(scope="session")
def profiles(files):
    """Settings of every kind of profile, by a name that tells what is special."""
    jwt = {"kind": "jwt", "algorithm": "HS256", "secret_file": str(files / "secret.txt")}
    every = ["bearer_header", "mqtt_password", "token", "token_in_username", "token_in_query", "token_in_header"]
    signed = {"kind": "signed", "private_key": str(files / "rsa.pem")}
    return {
        "jwt": {**jwt, "carriers": every, "claims": {"sub": "{identity}", "jti": "{uuid}"}},
        "jwt of a single device": {**jwt, "identities": 1},
        "jwt RS256": {
            "kind": "jwt",
            "private_key": str(files / "rsa.pem"),
            "identities": 3,
            "key_id": "k1",
            "claims": {"sub": "{identity}", "iss": "https://issuer.example", "aud": "iot-devices"},
        },
        "jwt ES256": {"kind": "jwt", "algorithm": "ES256", "private_key": str(files / "ec.pem"), "identities": 2},
        "password": {"kind": "password", "table": str(files / "users.jsonl")},
        "password of a single device": {"kind": "password", "table": str(files / "one_user.jsonl")},
        "signed": {**signed, "carriers": ["token", "token_in_username", "token_in_query", "token_in_header"]},
        "signed for ever": {**signed, "token": "{identity}:{digits:6}"},
        "signed of a single device": {**signed, "token": "{identity}", "identities": 1},
        "api_key": {"kind": "api_key", "table": str(files / "keys.csv"), "query": {"tenant": "{tenant}"}},
        "api_key without parameters": {"kind": "api_key", "table": str(files / "keys.csv")},
        "api_key of a single device": {
            "kind": "api_key",
            "table": str(files / "one_key.csv"),
            "header": "X-Own",
            "query": {"tenant": "{tenant}"},
        },
        "python": {"kind": "python", "file": str(files / "own.py")},
    }
