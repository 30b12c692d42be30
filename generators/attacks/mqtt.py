"""MQTT: user names, passwords that are no text, client ids."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.generators.attacks.attack import Family, Scene
from gatecrash.generators.attacks.changes import with_mqtt
from gatecrash.generators.attacks.kinds import is_known, is_password
from gatecrash.generators.attacks.spellings import fullwidth, percent_encode, spell
from gatecrash.generators.credentials.credential import Credential

FAMILY: Final = Family("mqtt", is_password, touches="username")
CLIENT_IDS: Final = Family("mqtt_client_id", is_known, touches="client_id")
_NAME: Final = "user names are compared loosely"
_PASSWORD: Final = "OASIS MQTT 5.0 section 3.1.3.6: a password is binary data"


def _with_name(scene: Scene, username: str) -> Credential | None:
    return replace(scene.credential, username=username) if username != scene.valid.username else None


@FAMILY.credential(
    Demand.DENY,
    "OWASP ASVS 4.0 section 2.4",
    *("nobody", "*", "%", ".*", "__proto__", "constructor", "' OR '1'='1", "*)(uid=*", "admin", "null", "{}x", "x{}"),
    weakness="unknown user names are accepted",
    everyday=True,
)
def username_unknown(scene: Scene, pattern: str) -> Credential | None:
    """Present a user name that no device has, plain or meaning something to a database."""
    name = f"nobody-{scene.rng.getrandbits(32):08x}" if pattern == "nobody" else pattern
    return _with_name(scene, name.replace("{}", scene.valid.username or ""))


@FAMILY.credential(Demand.DENY, "OWASP ASVS 4.0 section 2.4", weakness="any known secret will do")
def username_of_another_device(scene: Scene, _: Any) -> Credential | None:
    """Present another device's user name with the own password."""
    if scene.other.secret == scene.credential.secret or scene.other.username is None:
        return None
    return _with_name(scene, scene.other.username)


@FAMILY.credential(
    Demand.NOT_ISSUED,
    "CWE-178; CWE-158; CWE-176; RFC 8265 (PRECIS): compare prepared names only",
    *("upper", "lower", "{} ", " {}", "{}\n", "{}\t", "{}\x00", "{}\x00x", "fullwidth", "{}\u200b", "{}\u00ad"),
    *("{}/", "{}.", "{}@example.com", "./{}", "{}#", "{}&x=1", "%url", "{};x", "{}\u0301"),
    weakness=_NAME,
)
def username_spelt_otherwise(scene: Scene, pattern: str) -> Credential | None:
    """Present the right password with the user name in another case, with spaces, look-alikes or a tail."""
    name = scene.valid.username or ""
    named = {"upper": name.upper(), "lower": name.lower(), "fullwidth": fullwidth(name), "%url": percent_encode(name)}
    return _with_name(scene, spell(pattern, name, **named))


@FAMILY.request(
    Demand.SAME,
    "AWS IoT developer guide, custom-auth: parameters in the MQTT user name",
    *("?x-amz-customauthorizer-name=gatecrash", "?SDK=PythonV2&Version=1.0", "?", "?a=b?c=d", "?username=other"),
    weakness="the user name's query string changes the decision",
)
def username_with_query(scene: Scene, request: AuthorizerRequest, query: str) -> AuthorizerRequest | None:
    """Put a query string behind the user name, as AWS's device SDKs do."""
    mqtt = request.mqtt_context
    if mqtt is None or mqtt.username is None or "?" in mqtt.username:
        return None
    if query.endswith("=other"):
        query = f"?username={scene.other.username}&clientId={scene.other.client_id}"
    return with_mqtt(request, username=f"{mqtt.username}{query}")


@FAMILY.request(
    Demand.DENY,
    "OASIS MQTT 5.0 section 3.1.3.5, 3.1.3.6: both are optional",
    "username",
    "password",
    "both",
    weakness="a missing user name or password is accepted",
    touches="credential",
    everyday=True,
)
def part_missing(_: Scene, request: AuthorizerRequest, which: str) -> AuthorizerRequest | None:
    """Leave out the user name, the password, or both."""
    mqtt = request.mqtt_context
    if mqtt is None:
        return None
    changes: dict[str, None] = {} if which == "password" else {"username": None}
    if which != "username":
        changes["password"] = None
    return with_mqtt(request, **changes)


@FAMILY.request(
    Demand.DENY,
    _PASSWORD,
    *(b"\xff\xfe", b"\x00", b"\x80", b"\xc3\x28", bytes(range(256)), b"\xed\xa0\x80", b"\x00" * 65535, b"\n", b" "),
    *("mark", "utf16", "base64", "latin", "invalid_tail", "hash"),
    weakness="passwords that are no text",
    touches="secret",
)
def password_binary(scene: Scene, request: AuthorizerRequest, value: Any) -> AuthorizerRequest | None:
    """Present bytes that are no UTF-8, or the right password in another encoding or behind a byte order mark."""
    mqtt = request.mqtt_context
    if mqtt is None or mqtt.password is None:
        return None
    right = scene.valid.secret
    raw = right.encode("utf-8", "surrogatepass")
    spelt = {
        "mark": b"\xef\xbb\xbf" + raw,
        "utf16": right.encode("utf-16", "surrogatepass"),
        "base64": base64.b64encode(raw),
        "latin": raw + b"\xe9",
        "invalid_tail": raw + b"\xff",
        "hash": raw[:1] + b"\x00" + raw[1:],
    }
    password = value if isinstance(value, bytes) else spelt[value]
    return with_mqtt(request, password=password) if password != mqtt.password else None


@FAMILY.request(
    Demand.DENY,
    "CWE-287",
    "password",
    "username",
    "client_id",
    weakness="the secret is looked for in the wrong place",
    touches="credential",
    alone=True,
)
def parts_exchanged(scene: Scene, request: AuthorizerRequest, where: str) -> AuthorizerRequest | None:
    """Present the password as the user name, the user name as the password, or the client id as both."""
    mqtt = request.mqtt_context
    if mqtt is None or mqtt.username is None or mqtt.password is None:
        return None
    name, secret = mqtt.username, scene.credential.secret
    if where == "client_id":
        if mqtt.client_id is None:
            return None
        return with_mqtt(request, username=mqtt.client_id, password=mqtt.client_id.encode())
    text = name if where == "password" else secret
    if text == scene.valid.secret == scene.valid.username:
        return None
    return with_mqtt(request, username=text, password=text.encode("utf-8", "surrogatepass"))


@CLIENT_IDS.request(
    Demand.DENY,
    "AWS IoT developer guide, custom-auth: tie the client id to the device",
    weakness="the client id is not tied to the device",
)
def client_id_of_another_device(scene: Scene, request: AuthorizerRequest, _: Any) -> AuthorizerRequest | None:
    """Connect under another device's client id."""
    if scene.other.client_id == scene.valid.client_id:
        return None
    return _with_client_id(scene, request, scene.other.client_id)


@CLIENT_IDS.request(
    Demand.DENY,
    "AWS IoT developer guide, basic policy variables; CWE-155",
    *("*", "+", "#", "?", "${iot:ClientId}", "${*}", "device-*", "$aws", "../../x", "a/b", '","Effect":"Allow'),
    *("\x00", "\n", "\ufeff", "\ud800", "é", "\U0001f511", " "),
    weakness="the client id is not tied to the device",
)
def client_id_hostile(scene: Scene, request: AuthorizerRequest, value: str) -> AuthorizerRequest | None:
    """Connect under a client id that means something in a policy or a topic, or that no device has."""
    return _with_client_id(scene, request, value)


@CLIENT_IDS.request(
    Demand.DENY,
    "CWE-178; CWE-697; AWS IoT developer guide, custom-auth",
    *("upper", "{}x", "x{}", "{}-2", "{}*", "{} ", "{}\n", "{}\x00", "prefix", "{}/x", "tail", "{}/../x"),
    weakness="client ids are compared loosely",
)
def client_id_spelt_otherwise(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Connect under almost the right client id: in another case, longer, shorter."""
    right = scene.valid.client_id or ""
    client_id = spell(pattern, right, upper=right.upper(), prefix=right[:-1], tail=right[1:])
    return _with_client_id(scene, request, client_id)


@CLIENT_IDS.request(
    Demand.DENY, "OASIS MQTT 5.0 section 3.1.3.1; CWE-400", 200, 5000, 65535, weakness="long client ids"
)
def client_id_long(scene: Scene, request: AuthorizerRequest, size: int) -> AuthorizerRequest | None:
    """Connect under a client id of up to 65,535 characters."""
    return _with_client_id(scene, request, "c" * size)


@CLIENT_IDS.request(Demand.ANY, "AWS IoT API: clientId is optional", weakness="a missing client id")
def client_id_missing(_: Scene, request: AuthorizerRequest, __: Any) -> AuthorizerRequest | None:
    """Leave the client id out."""
    return None if request.client_id is None else with_mqtt(request, client_id=None)


def _with_client_id(scene: Scene, request: AuthorizerRequest, value: str | None) -> AuthorizerRequest | None:
    if scene.valid.client_id is None or not value or value == scene.valid.client_id:
        return None
    if request.mqtt_context is None and request.token is not None:
        return None
    return with_mqtt(request, client_id=value)
