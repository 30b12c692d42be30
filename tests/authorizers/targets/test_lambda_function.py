"""The Lambda target: Invoke with IoT's event comes to what TestInvokeAuthorizer comes to at the same gateway."""

from __future__ import annotations

import base64
import json
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import botocore.exceptions
import pytest
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, Invocation, MqttContext, Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.aws_clients import IotApiSettings
from gatecrash.authorizers.targets.iot_api import IotApiTarget
from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings, LambdaFunctionTarget
from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.opening import open_target
from tests.authorizers.strategies import requests

MODEL = Loader().load_service_model("lambda", "service-2", "2015-03-31")
NOWHERE = "http://127.0.0.1:1"
HANDLER = """
    import hashlib, json, time

    ARN = "arn:aws:iot:us-east-1:123456789012"

    def answer(client_id, authenticated=True, sid="s"):
        policy = {"Statement": [
            {"Sid": sid, "Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/{client_id}"}
        ]}
        return {"isAuthenticated": authenticated, "principalId": "device1", "policyDocuments": [policy]}

    class Odd(Exception):
        pass

    def by_digest(event):
        # Whatever is in the event but its id decides, so that equal answers mean equal events.
        text = json.dumps({name: event[name] for name in sorted(event) if name != "connectionMetadata"}, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        match int(digest, 16) % 10:
            case 0: raise ValueError(digest)
            case 1: raise Odd
            case 2: return {"isAuthenticated": False}
            case 3: return digest
            case 4: return json.dumps(answer("*", sid=digest))
            case 5: return answer("*", False, digest)
            case 6: return {**answer("*"), "refreshAfterInSeconds": 5}
            case 7: return answer("nobody", sid=digest)
        return answer("*", sid=digest)

    def handler(event, context):
        match event.get("protocolData", {}).get("mqtt", {}).get("username"):
            case "allow": return answer("device-1")
            case "deny": return answer("device-1", False)
            case "raise": raise ValueError("no such device")
            case "hang": time.sleep(60)
            case "wait": time.sleep(0.5); return answer("device-1")
            case "malformed": return {"isAuthenticated": True}
            case "die": __import__("os")._exit(3)
        return by_digest(event)
"""


def gateway_of(folder, **given):
    path = folder / "own.py"
    path.write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    return LocalGateway({"handler": f"{path}:handler", "authorizer": "auth", "provisioned": 1, **given})


def target_of(gateway, **given):
    return LambdaFunctionTarget(LambdaFunctionSettings("own", endpoint_url=gateway.url, **given))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    made = gateway_of(tmp_path_factory.mktemp("handler"), timeout=0.8)
    yield made
    made.close()


@pytest.fixture(scope="module")
def target(gateway):
    made = target_of(gateway)
    yield made
    made.close()


def device(username):
    return AuthorizerRequest(mqtt_context=MqttContext(username, b"secret", "device-1"))


def test_an_allow_with_its_decision(target):
    answer = target.invoke(device("allow"))
    assert answer.outcome is Outcome.ALLOW
    assert (answer.decision.principal_id, answer.decision.refresh_after_in_seconds) == ("device1", 300)
    assert answer.invocation.environment.startswith("own-")
    assert answer.invocation.handler_seconds > 0


def test_a_policy_for_another_client_is_a_refusal_by_policy(target):
    other = AuthorizerRequest(mqtt_context=MqttContext("allow", b"", "device-2"))
    assert target.invoke(other).outcome is Outcome.REJECTED
    other = AuthorizerRequest(mqtt_context=MqttContext("allow", b"x", "device-2"))
    assert target.invoke(other).outcome is Outcome.REFUSED_BY_POLICY


@pytest.mark.parametrize(
    ("username", "outcome", "error_type", "message"),
    [
        ("deny", Outcome.DENY, None, None),
        ("raise", Outcome.HANDLER_ERROR, "ValueError", "no such device: ValueError"),
        ("die", Outcome.HANDLER_ERROR, "Runtime.ExitError", "exit status 3: Runtime.ExitError"),
        ("hang", Outcome.TIMED_OUT, "Sandbox.Timedout", "Task timed out after 0.80 seconds: Sandbox.Timedout"),
        ("malformed", Outcome.INVALID_RESPONSE, None, "Member must satisfy ([a-zA-Z0-9]){1,128}"),
    ],
)
def test_what_the_function_does_is_an_outcome(target, username, outcome, error_type, message):
    answer = target.invoke(device(username))
    assert answer.outcome is outcome
    if message is not None:
        assert (answer.fault.code, answer.fault.error_type) == ("InvalidResponseException", error_type)
        assert answer.fault.message.endswith(message)


def test_a_function_that_is_not_there(gateway):
    answer = LambdaFunctionTarget(LambdaFunctionSettings("nobody", endpoint_url=gateway.url)).invoke(device("allow"))
    assert (answer.outcome, answer.fault.code) == (Outcome.REJECTED, "ResourceNotFoundException")


def test_a_full_function_throttles_with_lambdas_reason(tmp_path):
    gateway = gateway_of(tmp_path, concurrency=1)
    try:
        target = target_of(gateway)
        with ThreadPoolExecutor(2) as pool:
            ends = time.monotonic() + 10
            seen = []
            while Outcome.THROTTLED not in {one.outcome for one in seen} and time.monotonic() < ends:
                seen = list(pool.map(target.invoke, [device("wait"), device("wait")]))
        (throttled,) = [one for one in seen if one.outcome is Outcome.THROTTLED]
        assert throttled.fault.code == "TooManyRequestsException"
        assert throttled.fault.error_type == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert Outcome.ALLOW in {one.outcome for one in seen}
    finally:
        gateway.close()


def test_the_device_dialect_is_a_setting(gateway):
    request = AuthorizerRequest(http_context=HttpContext({"X-Key": "v"}, "?a=b"))
    events = [target_of(gateway, dialect=dialect)._front.event(request) for dialect in ("test_invoke", "device")]
    assert [event["protocolData"]["http"] for event in events] == [
        {"headers": {"X-Key": "v"}, "queryString": "?a=b"},
        {"headers": {"x-key": "v"}, "queryString": "a=b"},
    ]


def sign(key, token):
    return base64.b64encode(key.sign(token.encode(), PKCS1v15(), SHA256())).decode()


def signed_requests(key):
    """Requests that carry a token in any way, rightly signed or not."""

    def carried(token, signature, carrier):
        if carrier == "token":
            return AuthorizerRequest(token, signature)
        query = f"?Token={token}&x-amz-customauthorizer-signature={signature.replace('+', '%2B')}"
        if carrier == "username":
            return AuthorizerRequest(mqtt_context=MqttContext(f"user{query}", b"x", "c"))
        if carrier == "query":
            return AuthorizerRequest(http_context=HttpContext({"A": "b"}, query))
        return AuthorizerRequest(
            http_context=HttpContext({"token": token, "X-Amz-CustomAuthorizer-Signature": signature})
        )

    tokens = st.sampled_from(["one", "two", "three", "four", "five"])
    signatures = st.sampled_from([sign(key, "one"), sign(key, "two"), sign(key, "three"), "AAAA", "!"])
    right = tokens.map(lambda token: (token, sign(key, token)))
    carriers = st.sampled_from(["token", "username", "query", "header"])
    return st.builds(lambda pair, carrier: carried(*pair, carrier), st.tuples(tokens, signatures) | right, carriers)


def told(answer):
    """What must be equal; ids of invocations and environments differ."""
    fault = answer.fault and (answer.fault.code, answer.fault.message, answer.fault.error_type)
    return answer.outcome, answer.decision, fault, answer.notes, answer.invocation is None


@pytest.fixture(
    scope="module",
    params=[("test_invoke", False), ("device", True)],
    ids=["unsigned", "signed, as devices send it"],
)
def both(request, tmp_path_factory, signing_key_public_pem):
    dialect, signed = request.param
    authorizer = {
        "dialect": dialect,
        "token_key_name": "Token",
        "signing_keys": {"one": signing_key_public_pem} if signed else {},
    }
    made = gateway_of(tmp_path_factory.mktemp("handler"), **authorizer)
    by_iot = IotApiTarget(IotApiSettings("auth", endpoint_url=made.url))
    yield by_iot, target_of(made, authorizer_name="auth", **authorizer)
    made.close()


def test_invoke_comes_to_what_test_invoke_authorizer_comes_to(both, signing_key):
    by_iot, by_lambda = both
    seen = set()

    @settings(max_examples=200)
    @given(requests() | signed_requests(signing_key))
    def hold(request):
        expected, found = by_iot.invoke(request), by_lambda.invoke(request)
        seen.add(found.outcome)
        assert told(found) == told(expected)

    hold()
    assert len(seen) >= 4


class Wire:
    """A target whose network is a function of this test's."""

    def __init__(self, **given):
        self.target = LambdaFunctionTarget(LambdaFunctionSettings("own", endpoint_url=NOWHERE, **given))
        self.target._client.meta.events.register("before-send.lambda.Invoke", self._send)
        self.asked = None

    def _send(self, request, **_):
        self.asked = request
        if isinstance(self.behaviour, Exception):
            raise self.behaviour
        status, headers, body = self.behaviour
        return AWSResponse(request.url, status, headers, Raw(body))

    def invoke(self, behaviour):
        self.behaviour = behaviour
        return self.target.invoke(device("allow"))


class Raw(BytesIO):
    def stream(self, **_):
        yield self.read()


@pytest.fixture(scope="module")
def wire():
    return Wire()


ALLOW = json.dumps(
    {
        "isAuthenticated": True,
        "principalId": "p",
        "policyDocuments": ['{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'],
    }
).encode()
TEXT_REPORT = (
    "REPORT RequestId: a\tDuration: {} ms\tBilled Duration: 99 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB"
)
JSON_REPORT = '{{"time":"t","type":"platform.report","record":{{"metrics":{{"durationMs":{},"billedDurationMs":99'


def logged(text):
    return {"X-Amz-Log-Result": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("log", "invocation"),
    [
        (TEXT_REPORT.format("12.50"), Invocation("", False, 0.0125)),
        (TEXT_REPORT.format("12.50") + "\tInit Duration: 180.10 ms\t\n", Invocation("", True, 0.0125)),
        (TEXT_REPORT.format("12.50") + "\tRestore Duration: 80.10 ms\t\n", Invocation("", True, 0.0125)),
        (JSON_REPORT.format("12.5"), Invocation("", False, 0.0125)),
        (JSON_REPORT.format("12.5") + ',"initDurationMs":180.1}}}', Invocation("", True, 0.0125)),
        (
            "REPORT RequestId: fake Duration: 9 ms Init Duration: 1 ms\n" + TEXT_REPORT.format(7),
            Invocation("", False, 0.007),
        ),
        ("REPORT RequestId: a\tDuration: . ms", None),
        ("no report", None),
        ("", None),
    ],
)
def test_the_log_tail_tells_of_the_invocation(wire, log, invocation):
    answer = wire.invoke((200, logged(log), ALLOW))
    assert (answer.outcome, answer.invocation) == (Outcome.ALLOW, invocation)


@pytest.mark.parametrize("text", ["!", "AAA", "\u00e9"])
def test_a_log_tail_that_is_none_is_nothing(wire, text):
    answer = wire.invoke((200, {"X-Amz-Log-Result": text}, ALLOW))
    assert (answer.outcome, answer.invocation) == (Outcome.ALLOW, None)


def test_the_log_tail_is_asked_for_only_when_it_is_wanted(wire):
    wire.invoke((200, {}, ALLOW))
    assert "X-Amz-Log-Type" not in wire.asked.headers
    other = Wire(log_tail=True)
    other.invoke((200, {}, ALLOW))
    assert other.asked.headers["X-Amz-Log-Type"] in {"Tail", b"Tail"}


def test_the_log_tail_of_the_gateway_tells_what_its_headers_tell(gateway):
    target = target_of(gateway, log_tail=True)

    def strip(response_dict, **_):
        """Leave the gateway's own headers out, as AWS does."""
        for name in [name for name in response_dict["headers"] if name.lower().startswith("x-gatecrash-")]:
            del response_dict["headers"][name]

    target._client.meta.events.register("before-parse.lambda.Invoke", strip)
    target.invoke(device("die"))
    cold, warm = target.invoke(device("allow")).invocation, target.invoke(device("allow")).invocation
    assert (cold.environment, cold.cold_start, warm.cold_start) == ("", True, False)
    assert 0 < warm.handler_seconds < 1


def test_an_answer_that_iot_would_not_have_waited_for_is_a_time_out(wire):
    answer = wire.invoke((200, logged(TEXT_REPORT.format("5001.00")), ALLOW))
    assert (answer.outcome, answer.fault.error_type) == (Outcome.TIMED_OUT, "Sandbox.Timedout")
    assert wire.invoke((200, logged(TEXT_REPORT.format("4999.00")), ALLOW)).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("payload", "outcome", "error_type"),
    [
        (b'{"errorMessage": "boom", "errorType": "Odd", "trace": []}', Outcome.HANDLER_ERROR, "Odd"),
        (b'{"errorMessage": "2026-11-23T00:00:00Z a Task timed out after 3.00 seconds"}', Outcome.TIMED_OUT, "Error"),
        (b'{"errorType":"Sandbox.Timedout","errorMessage":"x"}', Outcome.TIMED_OUT, "Sandbox.Timedout"),
        *[(junk, Outcome.HANDLER_ERROR, "Error") for junk in (b"", b"[]", b"\xff", b"null", b'{"errorMessage": null}')],
    ],
)
def test_a_function_error_is_read_whatever_it_holds(wire, payload, outcome, error_type):
    answer = wire.invoke((200, {"X-Amz-Function-Error": "Unhandled"}, payload))
    assert (answer.outcome, answer.fault.error_type) == (outcome, error_type)


def error(code, status, **members):
    return status, {"x-amzn-ErrorType": code}, json.dumps({"message": "m", **members}).encode()


@pytest.mark.parametrize("shape", sorted({one["shape"] for one in MODEL["operations"]["Invoke"]["errors"]}))
def test_every_error_of_the_model_is_an_outcome(wire, shape):
    status = MODEL["shapes"][shape]["error"]["httpStatusCode"]
    answer = wire.invoke(error(shape, status))
    assert answer.fault.code == shape
    if shape == "TooManyRequestsException":
        assert answer.outcome is Outcome.THROTTLED
    elif status >= 500 or status in {408, 409, 410}:
        assert answer.outcome is Outcome.UNAVAILABLE
    else:
        assert answer.outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException"],
)
def test_a_caller_that_may_not_is_rejected(wire, code):
    assert wire.invoke(error(code, 403)).outcome is Outcome.REJECTED


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"nonsense", b"\xff", b'{"message": 5, "code": 7}', b"[" * 100_000]
)
def test_an_answer_of_any_shape_is_an_answer_without_a_decision(wire, status, body):
    answer = wire.invoke((status, {}, body))
    assert answer.decision is None
    assert answer.outcome in {
        *(Outcome.TRANSPORT_ERROR, Outcome.REJECTED, Outcome.UNAVAILABLE, Outcome.INVALID_RESPONSE),
    }


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (botocore.exceptions.ReadTimeoutError(endpoint_url="x"), Outcome.TRANSPORT_ERROR),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="x"), Outcome.TRANSPORT_ERROR),
        (botocore.exceptions.NoCredentialsError(), Outcome.REJECTED),
        (OSError("x"), Outcome.TRANSPORT_ERROR),
    ],
    ids=repr,
)
def test_an_error_of_the_network_is_an_answer(wire, raised, outcome):
    answer = wire.invoke(raised)
    assert (answer.outcome, answer.fault.code) == (outcome, type(raised).__name__)


def test_nobody_there_is_a_transport_error():
    answer = LambdaFunctionTarget(LambdaFunctionSettings("own", endpoint_url=NOWHERE)).invoke(device("allow"))
    assert (answer.outcome, answer.fault.code) == (Outcome.TRANSPORT_ERROR, "EndpointConnectionError")


def test_it_is_opened_by_its_kind_with_a_pool_as_large_as_the_users():
    opened = open_target({"kind": "lambda_function", "function": "own", "endpoint_url": NOWHERE}, connections=37)
    assert isinstance(opened, LambdaFunctionTarget)
    assert (opened._client.meta.region_name, opened._client.meta.endpoint_url) == ("us-east-1", NOWHERE)
    assert opened._client.meta.config.max_pool_connections == 37
    opened.close()


def test_a_profile_that_is_unknown_is_a_usage_error(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(UsageError, match=r"can't make a client for AWS Lambda: .*no-such-profile"):
        LambdaFunctionTarget(LambdaFunctionSettings("own", profile="no-such-profile"))
