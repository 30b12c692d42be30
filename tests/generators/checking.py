"""Verifiers of this test suite's own for every kind of profile, unrelated to the generators' code.

The strict one accepts what the profile issues and nothing else. The forgiving one is right as well, but lets pass all
that may be tolerated: what even it refuses lets somebody in who has no right.
"""

import base64
import csv
import io
import itertools
import json
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatecrash.authorizers import limits
from gatecrash.generators.credentials import open_profile

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
# What a right authorizer may grant after a token's end (RFC 7519 section 4.1.4: a few minutes).
LEEWAY = 240
ISSUED = {
    None: r"dev00(0[1-9]|[1-4]\d|50)\.[0-9]{10}\.[0-9a-f]{16}",
    "{identity}:{digits:6}": r"dev00(0[1-9]|[1-4]\d|50):[0-9]{6}",
    "{identity}": r"dev0001",
}


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


@lru_cache
def _opened(text):
    return open_profile(json.loads(text), TOKEN_KEY)


def opened(settings):
    """The profile that settings describe; reading an RSA key is slow, so each is opened once."""
    return _opened(json.dumps(settings, sort_keys=True))


class Verifiers(NamedTuple):
    """Two right authorizers: each says of a request whether it is allowed."""

    strict: object
    forgiving: object


def verifiers(settings, now):
    """Return the verifiers of a profile's settings; ``now`` is in epoch seconds."""
    kinds = {"jwt": _jwt, "signed": _signed, "password": _password, "api_key": _api_key, "python": _python}
    return kinds[settings["kind"]](settings, now)


def _text(encoded):
    raw = unquote_to_bytes(encoded.encode("utf-8", "surrogatepass"))
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _query(text, separators="&"):
    # In queries that are made here a plus sign stands for itself.
    pairs = [part.partition("=") for part in re.split(f"[{separators}]", text) if part]
    return [(_text(name), _text(value)) for name, _, value in pairs]


def _values(request, name):
    """All that a request carries under a name: parameters of its query strings, decoded, and headers in any case."""
    http, mqtt = request.http_context, request.mqtt_context
    found = _query((mqtt.username or "").partition("?")[2]) if mqtt else []
    headers = (http.headers or {}) if http else {}
    if http:
        found += _query((http.query_string or "").removeprefix("?"))
    named = [value for key, value in found if key == name]
    return named + [value for key, value in headers.items() if key.lower() == name.lower()]


def _only(values):
    return values[0] if len(values) == 1 else None


def _jwt(settings, now):
    algorithm, key = settings.get("algorithm", "RS256"), _verifying_key(settings)
    wanted = settings.get("claims", {})

    def strict(request):
        headers = _values(request, "Authorization")
        token = _only([*_tokens(request), *(value.removeprefix("Bearer ") for value in headers)])
        if token is None or not all(value.startswith("Bearer ") for value in headers) or not _is_canonical(token):
            return False
        try:
            whole = jwt.PyJWS().decode_complete(token, key, algorithms=[algorithm])
            claims = json.loads(whole["payload"], object_pairs_hook=_without_duplicates)
        except (jwt.PyJWTError, ValueError, RecursionError):
            return False
        if not isinstance(claims, dict) or whole["header"].get("kid") != settings.get("key_id"):
            return False
        if any(claims.get(name) != wanted.get(name) for name in ("iss", "aud")):
            return False
        name = claims.get("sub")
        named = isinstance(name, str) and re.fullmatch("device-[0-9a-f]{8}", name)
        return bool(named) and _is_in_force(claims, now) and request.client_id in (None, name)

    def forgiving(request):
        for value in [*_tokens(request), *_values(request, "Authorization")]:
            try:
                claims = _signed_claims(value.split()[-1], algorithm, key)
            except (ValueError, RecursionError, TypeError, AttributeError, LookupError):
                continue
            if claims and _is_tolerable(claims, now) and request.client_id in (None, claims.get("sub")):
                return claims.get("iss") == wanted.get("iss") and _is_among(claims.get("aud"), wanted.get("aud"))
        return False

    return Verifiers(strict, forgiving)


def _verifying_key(settings):
    if "secret_file" in settings:
        return Path(settings["secret_file"]).read_bytes().strip()
    return load_pem_private_key(Path(settings["private_key"]).read_bytes(), None).public_key()


def _is_in_force(claims, now):
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    return all(type(time) is int for time in times) and max(times[:2]) <= now < times[2]


def _signed_claims(text, algorithm, key):
    """The claims of a token that the key signed, whatever stands around it; None of any other."""
    head, body, signature = text.strip(" \t\r\n\x00\u00a0.").split(".")[:3]
    header, method = json.loads(_bytes(head)), jwt.PyJWS().get_algorithm_by_name(algorithm)
    critical = header.get("crit")
    if header["alg"] != algorithm or (isinstance(critical, list) and not set(critical) <= {"alg", "exp"}):
        return None
    message = f"{head}.{body}".encode()
    return _claims(_bytes(body)) if method.verify(message, method.prepare_key(key), _bytes(signature)) else None


def _tokens(request):
    """The tokens of a request, but those of an ``Authorization`` header."""
    found = _values(request, TOKEN_KEY)
    if request.token is not None:
        found.append(request.token)
    if request.mqtt_context is not None and request.mqtt_context.password is not None:
        found.append(request.mqtt_context.password.decode("latin-1"))
    return found


def _is_canonical(token):
    parts = token.split(".")
    try:
        return len(parts) == 3 and all(
            base64.urlsafe_b64encode(_bytes(part)).rstrip(b"=").decode() == part for part in parts
        )
    except ValueError:
        return False


def _bytes(text):
    """Decode base64 of either alphabet, with or without padding, and whatever stands between."""
    plain = re.sub(r"[\s\x00=]", "", text).replace("+", "-").replace("/", "_")
    return base64.urlsafe_b64decode(plain.encode("ascii") + b"=" * (-len(plain) % 4))


def _without_duplicates(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _claims(raw):
    """Read claims whatever stands around them; None where they are no object, or an empty one."""
    text = raw.decode("utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw.decode("utf-8", "replace")
    found, _ = json.JSONDecoder().raw_decode(text.removeprefix("\ufeff").removeprefix("/* */").lstrip())
    return found if isinstance(found, dict) else None


def _is_tolerable(claims, now):
    ends, starts = _time(claims.get("exp")), _time(claims.get("nbf"))
    return (ends is None or ends > now - LEEWAY) and (starts is None or starts < now + LEEWAY)


def _time(value):
    try:
        found = float(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return found if isinstance(found, int | float) and not math.isnan(found) else None


def _is_among(claim, wanted):
    return claim == wanted or (isinstance(claim, list) and wanted in claim)


def _signed(settings, now):
    key, issued = _verifying_key(settings), ISSUED[settings.get("token")]

    def is_signed(token, signature):
        try:
            raw = base64.b64decode(signature, validate=True)
            key.verify(raw, token.encode("utf-8", "surrogatepass"), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True

    def found(request):
        if request.token is not None:
            return [request.token], [request.token_signature or ""]
        return _values(request, TOKEN_KEY), _values(request, SIGNATURE_KEY)

    def strict(request):
        token, signature = map(_only, found(request))
        if not token or not signature or not re.fullmatch(issued, token) or not is_signed(token, signature):
            return False
        name, *rest = re.split("[.:]", token)
        return request.client_id in (None, name) and ("token" in settings or int(rest[0]) > now)

    def forgiving(request):
        """Reads no more of a token than its name and a time that it can read."""
        for token, signature in itertools.product(*found(request)):
            name, *rest = re.split("[.:]", token)
            ends = _time(rest[0]) if rest and "token" not in settings else None
            timely = ends is None or ends > now - LEEWAY
            if timely and request.client_id in (None, name) and is_signed(token, signature):
                return True
        return False

    return Verifiers(strict, forgiving)


def _rows(path):
    text = Path(path).read_text()
    if str(path).endswith(".csv"):
        return list(csv.DictReader(io.StringIO(text)))
    return [json.loads(line) for line in text.split("\n") if line]


def _password(settings, _):
    table = {row["username"]: row for row in _rows(settings["table"])}

    def strict(request):
        row = row_of(request)
        return row is not None and request.client_id == row.get("client_id")

    def row_of(request):
        mqtt = request.mqtt_context
        row = table.get((mqtt.username or "").partition("?")[0]) if mqtt else None
        return row if row is not None and mqtt.password == row["password"].encode() else None

    def forgiving(request):
        row = row_of(request)
        return row is not None and request.client_id in (None, row.get("client_id"))

    return Verifiers(strict, forgiving)


def _api_key(settings, _):
    table = {row["key"]: row for row in _rows(settings["table"])}
    header, named = settings.get("header", "x-api-key"), "query" in settings

    def parameters(request, separators):
        query = (request.http_context.query_string if request.http_context else None) or ""
        return [value for name, value in _query(query.removeprefix("?"), separators) if name == "tenant"]

    def keys(request):
        headers = (request.http_context.headers if request.http_context else None) or {}
        return [value for name, value in headers.items() if name.lower() == header.lower()]

    def strict(request):
        row = table.get(_only(keys(request)))
        return row is not None and (not named or parameters(request, "&") == [row["tenant"]])

    def forgiving(request):
        rows = [table[key.strip()] for key in keys(request) if key.strip() in table]
        return any(not named or row["tenant"] in parameters(request, "&;") for row in rows)

    return Verifiers(strict, forgiving)


def _python(_, __):
    def allows(request):
        return request.mqtt_context is not None and request.mqtt_context.password == b"good"

    return Verifiers(allows, allows)
