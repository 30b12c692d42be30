"""The JSON form of requests and answers, and that boto3 puts the same on the wire."""

import base64
import json
import math

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest, Decision, HttpContext, MqttContext
from gatecrash.authorizers.errors import WireError
from gatecrash.authorizers.targets.aws_clients import IotApiSettings, service_client
from gatecrash.authorizers.targets.boto3_parameters import request_to_parameters
from tests.authorizers.strategies import TEXTS, requests

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def same(left, right):
    """Equality that tells 1 from 1.0 and True."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(JSON_VALUES)
@example(2**64)
@example([-(2**63) - 1, 10**300, 1.5, 123456789012345678901234567890])
@example({"\ud800": "\0", "b": 10**19, "a": None})
def test_every_json_value_survives_encoding_and_decoding(value):
    assert same(wire.decode(wire.encode(value)), value)


@given(st.dictionaries(TEXTS, st.integers(), max_size=5))
def test_sorted_encoding_does_not_depend_on_the_order_of_keys(value):
    backwards = dict(reversed(value.items()))
    assert wire.encode_sorted(value) == wire.encode_sorted(backwards)
    assert wire.decode(wire.encode_sorted(value)) == value


@given(JSON_VALUES)
def test_encoded_json_is_what_the_standard_library_reads(value):
    assert same(json.loads(wire.encode(value)), value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [None, {"a": (value,)}]])
def test_nan_and_infinity_are_not_encoded(value, wrap):
    with pytest.raises(WireError, match="not a JSON value"):
        wire.encode(wrap(value))


@given(st.recursive(st.none() | st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_a_value_without_floats_is_encoded_alike_by_the_short_way(value):
    assert wire.encode_texts(value) == wire.encode(value)


@pytest.mark.parametrize("value", [b"bytes", {"a": b"bytes"}, {1, 2}, object(), {b"key": 1}])
def test_what_json_has_no_form_for_is_not_encoded(value):
    with pytest.raises(WireError, match="not a JSON value"):
        wire.encode(value)


def test_a_value_that_holds_itself_is_not_encoded():
    value = []
    value.append(value)
    with pytest.raises(WireError, match="not a JSON value"):
        wire.encode(value)


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"{", b"{} x", b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"'a'", b"\xff", b'"\n"', b"[" * 100_000],
)
def test_what_is_no_json_is_refused(data):
    with pytest.raises(WireError, match="not JSON"):
        wire.decode(data)


@given(requests())
@example(AuthorizerRequest(http_context=HttpContext({"\0": "\ud800", "😀": ""}, "")))
@example(AuthorizerRequest(mqtt_context=MqttContext("", b"", "")))
@example(AuthorizerRequest(mqtt_context=MqttContext(password=bytes(range(256)))))
def test_every_request_survives_the_wire(request):
    body = wire.encode(wire.request_to_wire(request))
    assert wire.request_from_wire(wire.decode(body)) == request


def test_a_request_has_the_services_names_and_a_base64_password():
    request = AuthorizerRequest(mqtt_context=MqttContext("user", b"\xff\x00test", "device-1"))
    assert wire.request_to_wire(request) == {
        "mqttContext": {"username": "user", "password": "/wB0ZXN0", "clientId": "device-1"}
    }


def test_an_empty_request_is_an_empty_object():
    assert wire.encode(wire.request_to_wire(AuthorizerRequest())) == b"{}"


def test_null_and_unknown_members_count_for_absent_ones():
    body = {"token": None, "httpContext": None, "mqttContext": {"clientId": None, "colour": 5}, "colour": "red"}
    assert wire.request_from_wire(body) == AuthorizerRequest(mqtt_context=MqttContext())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "the request must be a JSON object"),
        (None, "the request must be a JSON object"),
        ({"token": 5}, "token must be a string"),
        ({"tokenSignature": []}, "tokenSignature must be a string"),
        ({"httpContext": "x"}, "httpContext must be a JSON object"),
        ({"httpContext": {"headers": []}}, "httpContext.headers must be a JSON object"),
        ({"httpContext": {"headers": {"a": 1}}}, "httpContext.headers must have strings as values"),
        ({"httpContext": {"headers": {1: "a"}}}, "httpContext.headers must have strings as names"),
        ({"httpContext": {"queryString": {}}}, "httpContext.queryString must be a string"),
        ({"mqttContext": False}, "mqttContext must be a JSON object"),
        ({"mqttContext": {"username": 1.5}}, "mqttContext.username must be a string"),
        ({"mqttContext": {"clientId": True}}, "mqttContext.clientId must be a string"),
        ({"mqttContext": {"password": 7}}, "mqttContext.password must be a string"),
        ({"mqttContext": {"password": "YQ"}}, "mqttContext.password must be base64"),
        ({"mqttContext": {"password": "é"}}, "mqttContext.password must be base64"),
        ({"mqttContext": {"password": "-_-_"}}, "mqttContext.password must be base64"),
        ({"tlsContext": 1}, "tlsContext must be a JSON object"),
        ({"tlsContext": {"serverName": []}}, "tlsContext.serverName must be a string"),
    ],
)
def test_a_wrong_type_is_told_by_the_members_name(body, sentence):
    with pytest.raises(WireError) as caught:
        wire.request_from_wire(body)
    assert str(caught.value) == sentence


@given(st.builds(Decision, st.booleans(), TEXTS, st.lists(TEXTS, max_size=3).map(tuple), st.integers(), st.integers()))
def test_every_decision_survives_the_wire(decision):
    assert wire.decision_from_wire(wire.decode(wire.encode(wire.decision_to_wire(decision)))) == decision


def test_an_answers_members_stand_in_the_services_order():
    names = list(wire.decision_to_wire(Decision(True, "a", (), 300, 300)))
    assert names == [
        *("disconnectAfterInSeconds", "isAuthenticated", "policyDocuments", "principalId", "refreshAfterInSeconds"),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"isAuthenticated": 1}, "isAuthenticated must be a boolean"),
        ({"principalId": None}, "principalId must be a string"),
        ({"policyDocuments": "x"}, "policyDocuments must be a list of strings"),
        ({"policyDocuments": [{}]}, "policyDocuments must be a list of strings"),
        ({"refreshAfterInSeconds": True}, "refreshAfterInSeconds and disconnectAfterInSeconds must be integers"),
        ({"disconnectAfterInSeconds": 1.0}, "refreshAfterInSeconds and disconnectAfterInSeconds must be integers"),
    ],
)
def test_an_answer_with_a_wrong_member_is_refused(changes, sentence):
    body = wire.decision_to_wire(Decision(True, "a", (), 300, 300)) | changes
    with pytest.raises(WireError) as caught:
        wire.decision_from_wire(body)
    assert str(caught.value) == sentence


@pytest.fixture(scope="module")
def sent():
    """A boto3 client that sends nothing, and the requests that it would have sent."""
    client = service_client("iot", IotApiSettings("my-authorizer", endpoint_url="http://127.0.0.1:1"))
    seen = []

    def capture(request, **_):
        seen.append(request)
        return AWSResponse(request.url, 200, {}, _Empty())

    client.meta.events.register("before-send.iot.TestInvokeAuthorizer", capture)
    yield client, seen
    client.close()


class _Empty:
    def stream(self, **_):
        yield b"{}"


@settings(max_examples=60)
@given(request=requests())
def test_boto3_puts_the_same_body_on_the_wire(sent, request):
    client, seen = sent
    client.test_invoke_authorizer(authorizerName="my=auth,@-x", **request_to_parameters(request))
    prepared = seen.pop()
    assert json.loads(prepared.body) == wire.request_to_wire(request)
    assert prepared.method == "POST"
    assert prepared.url.endswith("/authorizer/my%3Dauth%2C%40-x/test")


def test_boto3_encodes_the_password_itself(sent):
    client, seen = sent
    request = AuthorizerRequest(mqtt_context=MqttContext(password=b"\xffsecret"))
    client.test_invoke_authorizer(authorizerName="a", **request_to_parameters(request))
    assert json.loads(seen.pop().body)["mqttContext"]["password"] == base64.b64encode(b"\xffsecret").decode()
