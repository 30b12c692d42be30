"""The error tree has the service's errors, and the boto3 target ends every call with an answer."""

import inspect
import json

import botocore.exceptions
import pytest
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader

from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Decision, Outcome
from gatecrash.authorizers.errors import API_ERRORS, ApiError, GatecrashError, HandlerError, UsageError
from gatecrash.authorizers.targets.aws_clients import IotApiSettings
from gatecrash.authorizers.targets.iot_api import IotApiTarget

MODEL = Loader().load_service_model("iot", "service-2", "2015-05-28")
OPERATIONS = (
    *("TestInvokeAuthorizer", "CreateAuthorizer", "UpdateAuthorizer", "DescribeAuthorizer", "DeleteAuthorizer"),
    *("ListAuthorizers", "SetDefaultAuthorizer", "DescribeDefaultAuthorizer", "ClearDefaultAuthorizer"),
)
MODELLED = sorted({error["shape"] for name in OPERATIONS for error in MODEL["operations"][name]["errors"]})


@pytest.mark.parametrize("shape", MODELLED)
def test_an_error_shape_of_the_model_has_its_class_with_the_models_status(shape):
    assert API_ERRORS[shape].code == shape
    assert API_ERRORS[shape].status == MODEL["shapes"][shape]["error"]["httpStatusCode"]


def test_the_only_error_that_the_model_lacks_is_the_one_for_missing_credentials():
    assert set(API_ERRORS) - set(MODELLED) == {"MissingAuthenticationTokenException"}


def test_all_errors_have_one_root_and_keep_their_message():
    assert issubclass(ApiError, GatecrashError)
    assert issubclass(HandlerError, UsageError)
    assert all(issubclass(error, ApiError) and error("x").message == "x" for error in API_ERRORS.values())


class Wire:
    """A target whose network is a function of this test's."""

    def __init__(self):
        self.sent = 0
        self.target = IotApiTarget(IotApiSettings("my-authorizer", endpoint_url="http://127.0.0.1:1"))
        self.target._client.meta.events.register("before-send.iot.TestInvokeAuthorizer", self._send)

    def _send(self, request, **_):
        self.sent += 1
        if isinstance(self.behaviour, Exception):
            raise self.behaviour
        status, headers, body = self.behaviour
        return AWSResponse(request.url, status, headers, _Raw(body))

    def invoke(self, behaviour):
        self.behaviour = behaviour
        return self.target.invoke(AuthorizerRequest("token", "c2ln"))


class _Raw:
    def __init__(self, body):
        self._body = body

    def stream(self, **_):
        yield self._body


@pytest.fixture(scope="module")
def wire():
    made = Wire()
    yield made
    made.target.close()


class _Anything(dict):
    """Keyword arguments for any exception's message."""

    def __missing__(self, key):
        return f"any {key}"


def made(kind):
    if issubclass(kind, botocore.exceptions.ClientError):
        return kind({"Error": {"Code": "Sudden", "Message": "x"}, "ResponseMetadata": {}}, "TestInvokeAuthorizer")
    parts = _Anything(error="x")
    names = {"error", "endpoint_url", "proxy_url", "provider", "cred_var", "request", "response"}
    try:
        return kind(**{name: parts[name] for name in names})
    except KeyError as missing:
        return kind(**{name: parts[name] for name in {*names, missing.args[0]}})


ROOTS = (
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ConnectionError,
    botocore.exceptions.ClientError,
)
NETWORK_ERRORS = [
    kind for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass) if issubclass(kind, ROOTS)
]


def test_botocore_has_the_network_errors_that_this_test_thinks_it_has():
    names = {kind.__name__ for kind in NETWORK_ERRORS}
    assert names >= {"ClientError", "HTTPClientError", "ReadTimeoutError", "ConnectTimeoutError", "SSLError"}


@pytest.mark.parametrize("kind", NETWORK_ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_that_botocore_raises_is_an_answer(wire, kind):
    answer = wire.invoke(made(kind))
    assert isinstance(answer, Answer)
    assert not answer.outcome.is_decision
    assert answer.fault is not None
    assert answer.fault.code in {kind.__name__, "Sudden"}


@pytest.mark.parametrize("error", [OSError("x"), ConnectionResetError(), ValueError("x"), TypeError("x")], ids=repr)
def test_an_error_beneath_botocore_is_a_transport_error(wire, error):
    assert wire.invoke(error).outcome is Outcome.TRANSPORT_ERROR


def test_credentials_that_are_missing_are_told_as_a_rejection(wire):
    answer = wire.invoke(botocore.exceptions.NoCredentialsError())
    assert (answer.outcome, answer.fault.code) == (Outcome.REJECTED, "NoCredentialsError")


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [
        *[b"", b"null", b"[]", b"[1]", b'"x"', b"1", b"nonsense", b"\xff", b"[" * 100_000, b"{}"],
        *[b'{"__type": 5}', b'{"message": 5, "code": 7}', b'{"message": [1]}', b'{"policyDocuments": 5}'],
        *[b'{"refreshAfterInSeconds": "x"}', b'{"refreshAfterInSeconds": {}}', b'{"isAuthenticated": "true"}'],
    ],
    ids=lambda body: repr(body[:40]),
)
def test_an_answer_of_any_shape_is_an_answer_without_a_decision(wire, status, body):
    answer = wire.invoke((status, {}, body))
    assert answer.decision is None
    assert answer.outcome in {Outcome.TRANSPORT_ERROR, Outcome.REJECTED, Outcome.UNAVAILABLE}
    assert isinstance(answer.fault.code, str)
    assert isinstance(answer.fault.message, str)


@pytest.mark.parametrize("shape", MODELLED)
@pytest.mark.parametrize("way", ["header", "type", "code"])
def test_an_error_code_is_read_from_wherever_the_service_puts_it(wire, shape, way):
    headers = {"x-amzn-ErrorType": f"{shape}:http://example/"} if way == "header" else {}
    body = {
        "header": {"message": "m"},
        "type": {"__type": f"com.amazonaws.iot#{shape}", "message": "m"},
        "code": {"code": shape, "Message": "m"},
    }[way]
    answer = wire.invoke((API_ERRORS[shape].status, headers, json.dumps(body).encode()))
    assert (answer.fault.code, answer.fault.message) == (shape, "m")


def test_a_code_in_the_header_wins_over_one_in_the_body(wire):
    body = b'{"__type": "InvalidResponseException"}'
    assert wire.invoke((401, {"x-amzn-ErrorType": "UnauthorizedException"}, body)).fault.code == "UnauthorizedException"


def test_an_error_with_a_null_message_has_an_empty_one(wire):
    answer = wire.invoke((400, {"x-amzn-ErrorType": "InvalidRequestException"}, b'{"message": null}'))
    assert (answer.outcome, answer.fault.message) == (Outcome.REJECTED, "")


def test_a_throttle_is_sent_once_and_seen(wire):
    before = wire.sent
    answer = wire.invoke((400, {"x-amzn-ErrorType": "ThrottlingException"}, b'{"message": "Rate exceeded"}'))
    assert answer.outcome is Outcome.THROTTLED
    assert wire.sent == before + 1


def test_a_good_answer_is_a_decision_with_its_invocation(wire):
    body = {
        "isAuthenticated": True,
        "principalId": "device1",
        "policyDocuments": ['{"Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'],
        "refreshAfterInSeconds": 300,
        "disconnectAfterInSeconds": 86400,
    }
    headers = {
        "x-gatecrash-environment": "e1",
        "x-gatecrash-cold-start": "1",
        "x-gatecrash-handler-seconds": "0.25",
        "x-gatecrash-notes": "serialised_answer",
    }
    answer = wire.invoke((200, headers, json.dumps(body).encode()))
    assert answer.outcome is Outcome.ALLOW
    assert answer.decision == Decision(True, "device1", tuple(body["policyDocuments"]), 300, 86400)
    assert (answer.invocation.environment, answer.invocation.cold_start) == ("e1", True)
    assert (answer.invocation.handler_seconds, answer.notes) == (0.25, ("serialised_answer",))
    assert wire.invoke((200, {}, json.dumps(body).encode())).invocation is None
