"""The Lambda event: its shape by what was sent, in both dialects."""

import pytest
from hypothesis import given

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, TlsContext
from gatecrash.authorizers.event import Dialect, event_for
from tests.authorizers.strategies import requests

ID = "0f0c5b1e-0000-4000-8000-000000000000"
METADATA = {"id": ID}
MQTT = MqttContext("user?SDK=x", b"\xff\x00test", "device-1")
HTTP = HttpContext({"X-Key": "Value", "Accept": "*/*"}, "?a=B")
TLS = TlsContext("iot.example")

MQTT_PART = {"username": "user?SDK=x", "password": "/wB0ZXN0", "clientId": "device-1"}
HTTP_PART = {"headers": {"X-Key": "Value", "Accept": "*/*"}, "queryString": "?a=B"}
DEVICE_HTTP_PART = {"headers": {"x-key": "Value", "accept": "*/*"}, "queryString": "a=B"}


def event(request, **more):
    return event_for(request, connection_id=ID, **more)


@pytest.mark.parametrize(
    ("request_", "dialect", "data", "protocols"),
    [
        (AuthorizerRequest(mqtt_context=MQTT), "test_invoke", {"mqtt": MQTT_PART}, ["mqtt"]),
        (
            AuthorizerRequest(mqtt_context=MQTT, tls_context=TLS),
            "test_invoke",
            {"tls": {"serverName": "iot.example"}, "mqtt": MQTT_PART},
            ["tls", "mqtt"],
        ),
        (AuthorizerRequest(http_context=HTTP), "test_invoke", {"http": HTTP_PART}, ["http"]),
        (AuthorizerRequest(http_context=HttpContext()), "test_invoke", {"http": {}}, ["http"]),
        (AuthorizerRequest(mqtt_context=MqttContext()), "test_invoke", {"mqtt": {}}, ["mqtt"]),
        (AuthorizerRequest(tls_context=TlsContext()), "test_invoke", {"tls": {}}, ["tls"]),
        (
            AuthorizerRequest(http_context=HTTP, mqtt_context=MQTT, tls_context=TLS),
            "device",
            {"tls": {"serverName": "iot.example"}, "mqtt": MQTT_PART, "http": DEVICE_HTTP_PART},
            ["tls", "http", "mqtt"],
        ),
        (AuthorizerRequest(http_context=HttpContext()), "device", {"http": {"queryString": ""}}, ["http"]),
        (AuthorizerRequest(mqtt_context=MQTT), "device", {"mqtt": MQTT_PART}, ["mqtt"]),
    ],
)
def test_a_context_is_an_event_with_its_protocols(request_, dialect, data, protocols):
    assert event(request_, dialect=Dialect(dialect)) == {
        "protocolData": data,
        "protocols": protocols,
        "signatureVerified": False,
        "connectionMetadata": METADATA,
    }


def test_token_mode_has_neither_protocols_nor_protocol_data():
    found = event(AuthorizerRequest("token", "c2ln"), token="token", signature_verified=True)
    assert found == {"token": "token", "signatureVerified": True, "connectionMetadata": METADATA}


def test_a_token_taken_from_a_context_stands_beside_the_protocol_data():
    found = event(AuthorizerRequest(mqtt_context=MQTT), token="token", signature_verified=True)
    assert (found["token"], found["signatureVerified"], found["protocols"]) == ("token", True, ["mqtt"])
    assert "password" not in event(AuthorizerRequest(mqtt_context=MqttContext("user")))["protocolData"]["mqtt"]


def test_keys_stand_in_the_services_order():
    found = event(
        AuthorizerRequest(http_context=HTTP, mqtt_context=MQTT, tls_context=TLS), token="t", signature_verified=True
    )
    assert list(found) == ["protocolData", "protocols", "token", "signatureVerified", "connectionMetadata"]
    assert list(found["protocolData"]) == ["tls", "mqtt", "http"]
    assert list(found["protocolData"]["mqtt"]) == ["username", "password", "clientId"]
    assert list(found["protocolData"]["http"]) == ["headers", "queryString"]


@pytest.mark.parametrize("query", ["?a", "a", "??a", "?", ""])
def test_the_device_dialect_takes_one_question_mark_off(query):
    request = AuthorizerRequest(http_context=HttpContext(query_string=query))
    assert event(request, dialect=Dialect.DEVICE)["protocolData"]["http"]["queryString"] == query.removeprefix("?")
    assert event(request)["protocolData"]["http"]["queryString"] == query


@given(requests())
def test_no_event_holds_a_null(request):
    for dialect in Dialect:
        text = wire.encode(event(request, dialect=dialect))
        assert _without_null(wire.decode(text))


def _without_null(value):
    if isinstance(value, dict):
        return all(map(_without_null, value.values()))
    if isinstance(value, list):
        return all(map(_without_null, value))
    return value is not None
