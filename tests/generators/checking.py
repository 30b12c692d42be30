"""A verifier of this test suite's own for every kind of profile: exact, and unrelated to the generators' code."""

import base64
import csv
import json
import time
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from authorizers import limits
from generators.credentials import open_profile

TOKEN_KEY = "DeviceToken"
SIGNATURE_KEY = "x-amz-customauthorizer-signature"
NAMES = (
    "jwt",
    "jwt of a single device",
    "jwt RS256",
    "jwt ES256",
    "password",
    "password of a single device",
    *("signed", "signed for ever", "signed of a single device", "api_key", "api_key without parameters"),
    *("api_key of a single device", "python"),
)


def keeps_limits(request):
    """Whether a request keeps every limit of TestInvokeAuthorizer."""
    found = [(limits.TOKEN, request.token), (limits.TOKEN_SIGNATURE, request.token_signature)]
    if (http := request.http_context) is not None:
        found.append((limits.QUERY_STRING, http.query_string))
        for name, value in (http.headers or {}).items():
            found += [(limits.HEADER_NAME, name), (limits.HEADER_VALUE, value)]
        if http.query_string is not None and not http.query_string.startswith("?"):
            return False
    if (mqtt := request.mqtt_context) is not None:
        found += [(limits.MQTT_USERNAME, mqtt.username), (limits.MQTT_CLIENT_ID, mqtt.client_id)]
        if mqtt.password is not None and not 1 <= len(mqtt.password) <= limits.MQTT_PASSWORD.maximum:
            return False
    if request.tls_context is not None:
        found.append((limits.TLS_SERVER_NAME, request.tls_context.server_name))
    if request.token is not None and (http or mqtt or request.tls_context):
        return False
    return all(value is None or limit.allows(value) for limit, value in found)


def parameters(request):
    """All that a request carries by name: parameters of its query strings, decoded, and its headers."""
    found = {}
    if (http := request.http_context) is not None:
        found |= http.headers or {}
        found |= _query((http.query_string or "?")[1:])
    if (mqtt := request.mqtt_context) is not None:
        found |= _query((mqtt.username or "").partition("?")[2])
    return found


def _query(text):
    # parse_qs would read a plus sign as a space; it is encoded in what is made here, or stands for itself.
    return {
        name: values[0]
        for name, values in parse_qs(text.replace("+", "%2B"), keep_blank_values=True, errors="surrogatepass").items()
    }


def token_of(request):
    """The token and signature that a request carries in any of the ways."""
    if request.token is not None:
        return request.token, request.token_signature
    named = parameters(request)
    if TOKEN_KEY in named:
        return named[TOKEN_KEY], named.get(SIGNATURE_KEY)
    if "Authorization" in named:
        return named["Authorization"].removeprefix("Bearer "), None
    return request.mqtt_context.password.decode(), None


@lru_cache
def _opened(text):
    return open_profile(json.loads(text), TOKEN_KEY)


def opened(settings):
    """The profile that settings describe; reading an RSA key is slow, so each is opened once."""
    return _opened(json.dumps(settings, sort_keys=True))


def verifier(settings):
    """Return what says whether a request is a right one, by a profile's settings."""
    return {
        "jwt": _jwt,
        "signed": _signed,
        "password": _password,
        "api_key": _api_key,
        "python": lambda _: lambda request: request.mqtt_context.password == b"good",
    }[settings["kind"]](settings)


def _jwt(settings):
    algorithm = settings.get("algorithm", "RS256")
    if algorithm.startswith("HS"):
        key = Path(settings["secret_file"]).read_bytes().strip()
    else:
        key = load_pem_private_key(Path(settings["private_key"]).read_bytes(), None).public_key()

    def allows(request):
        try:
            claims = jwt.decode(
                token_of(request)[0], key, algorithms=[algorithm], options={"require": ["exp", "iat", "nbf", "sub"]}
            )
        except jwt.PyJWTError:
            return False
        return request.client_id is None or request.client_id == claims["sub"]

    return allows


def _signed(settings):
    key = load_pem_private_key(Path(settings["private_key"]).read_bytes(), None).public_key()
    expires = "token" not in settings

    def allows(request):
        token, signature = token_of(request)
        try:
            key.verify(base64.b64decode(signature, validate=True), token.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return not expires or int(token.split(".")[1]) > time.time()

    return allows


def _password(settings):
    rows = [json.loads(line) for line in Path(settings["table"]).read_text().splitlines()]
    table = {row["username"]: row for row in rows}

    def allows(request):
        mqtt = request.mqtt_context
        row = table.get(mqtt.username.partition("?")[0])
        return row is not None and (mqtt.password, mqtt.client_id) == (row["password"].encode(), row["client_id"])

    return allows


def _api_key(settings):
    with Path(settings["table"]).open(newline="") as file:
        table = {row["key"]: row for row in csv.DictReader(file)}

    def allows(request):
        named = parameters(request)
        row = table.get(named.get(settings.get("header", "x-api-key")))
        return row is not None and ("query" not in settings or named.get("tenant") == row["tenant"])

    return allows
