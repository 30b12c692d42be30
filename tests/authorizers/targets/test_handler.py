"""The handler target: the service's checks before and after a handler that is called in this process."""

import base64
import itertools
import textwrap
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, Outcome, TlsContext
from gatecrash.authorizers.errors import HandlerError
from gatecrash.authorizers.laboratory.python_handler import LambdaContext, load_handler
from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.authorizers.targets.handler import HandlerTarget

NAMES = itertools.count()
VIOLATION = "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must have length {}"
DEVICE = AuthorizerRequest(mqtt_context=MqttContext("user", b"secret", "device-1"))
ALLOW = """
    import json

    ARN = "arn:aws:iot:us-east-1:123456789012"

    POLICY = {"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/device-1"}]}
    ANSWER = {"isAuthenticated": True, "principalId": "device1", "policyDocuments": [POLICY]}
    SEEN = []
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / f"own_handler_{next(NAMES)}.py"
        path.write_text(textwrap.dedent(ALLOW) + textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def target(file):
    def open_target(body, **settings):
        path = file(f"def handler(event, context):\n    {body}\n")
        return HandlerTarget(HandlerSettings(str(path), **settings))

    return open_target


def events_of(target):
    return target._handler.__globals__["SEEN"]


RECORD = "SEEN.append(event); return ANSWER"


def test_a_handler_that_allows_is_an_allow_with_its_decision(target):
    answer = target("return ANSWER").invoke(DEVICE)
    assert answer.outcome is Outcome.ALLOW
    assert answer.decision.principal_id == "device1"
    assert answer.decision.refresh_after_in_seconds == 300
    assert answer.invocation.environment == "in-process"


def test_a_policy_for_another_client_is_a_refusal_by_policy(target):
    other = AuthorizerRequest(mqtt_context=MqttContext(client_id="device-2"))
    assert target("return ANSWER").invoke(other).outcome is Outcome.REFUSED_BY_POLICY


def test_only_the_first_invocation_is_cold(target):
    opened = target("return ANSWER")
    assert [opened.invoke(DEVICE).invocation.cold_start for _ in range(3)] == [True, False, False]


def test_the_handler_gets_the_services_event_with_a_new_id_each_time(target):
    opened = target(RECORD)
    request = AuthorizerRequest(None, None, HttpContext({"X-Key": "v"}, "?a=b"), DEVICE.mqtt_context, TlsContext("iot"))
    opened.invoke(request)
    opened.invoke(request)
    first, second = events_of(opened)
    assert first["protocolData"] == {
        "tls": {"serverName": "iot"},
        "mqtt": {"username": "user", "password": "c2VjcmV0", "clientId": "device-1"},
        "http": {"headers": {"X-Key": "v"}, "queryString": "?a=b"},
    }
    assert first["protocols"] == ["tls", "http", "mqtt"]
    ids = [event["connectionMetadata"]["id"] for event in (first, second)]
    assert ids == [str(uuid.UUID(one)) for one in ids]
    assert len(set(ids)) == 2


def test_the_device_dialect_lowers_header_names(target):
    opened = target(RECORD, dialect="device")
    opened.invoke(AuthorizerRequest(http_context=HttpContext({"X-Key": "v"}, "?a=b")))
    assert events_of(opened)[0]["protocolData"]["http"] == {"headers": {"x-key": "v"}, "queryString": "a=b"}


@pytest.mark.parametrize(
    ("body", "outcome", "error_type"),
    [
        ("raise ValueError('boom')", Outcome.HANDLER_ERROR, "ValueError"),
        ("raise SystemExit(3)", Outcome.HANDLER_ERROR, "SystemExit"),
        ("return {1, 2}", Outcome.HANDLER_ERROR, "Runtime.MarshalError"),
        ("return {'a': b'bytes'}", Outcome.HANDLER_ERROR, "Runtime.MarshalError"),
        ("return float('nan')", Outcome.HANDLER_ERROR, "Runtime.MarshalError"),
        ("return handler(event, context)", Outcome.HANDLER_ERROR, "RecursionError"),
        ("return None", Outcome.INVALID_RESPONSE, None),
        ("return {'isAuthenticated': False}", Outcome.INVALID_RESPONSE, None),
        ("return {**ANSWER, 'refreshAfterInSeconds': 5}", Outcome.INVALID_RESPONSE, None),
        ("return {**ANSWER, 'isAuthenticated': False}", Outcome.DENY, None),
        ("return {**ANSWER, 'policyDocuments': []}", Outcome.REFUSED_BY_POLICY, None),
        ("return json.dumps(ANSWER)", Outcome.ALLOW, None),
    ],
)
def test_what_a_handler_does_is_an_outcome(target, body, outcome, error_type):
    answer = target(body).invoke(DEVICE)
    assert answer.outcome is outcome
    assert (answer.fault.error_type if answer.fault else None) == error_type
    assert (answer.decision is None) is (answer.fault is not None)


def test_a_serialised_answer_is_remarked_on(target):
    assert target("return json.dumps(ANSWER)").invoke(DEVICE).notes == ("serialised_answer",)


def test_a_failure_has_the_services_message(target):
    answer = target("raise ValueError('boom')").invoke(DEVICE)
    assert answer.fault.code == "InvalidResponseException"
    assert answer.fault.message == "Lambda function encountered error in execution: boom: ValueError"


def test_an_exception_that_cannot_be_shown_is_a_failure_too(target):
    body = "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})"
    answer = target(body).invoke(DEVICE)
    assert (answer.outcome, answer.fault.error_type) == (Outcome.HANDLER_ERROR, "Mute")


@pytest.mark.parametrize("depth", [300, 980, 1015, 5000])
def test_a_deeply_nested_answer_is_no_crash(target, depth):
    body = f"value = []; [value := [value] for _ in range({depth})]; return {{**ANSWER, 'principalId': value}}"
    assert target(body).invoke(DEVICE).outcome in {Outcome.INVALID_RESPONSE, Outcome.HANDLER_ERROR}


def test_a_handler_that_took_longer_than_five_seconds_timed_out(target, monkeypatch):
    opened = target("return ANSWER")
    ticks = itertools.count(0, 6)
    monkeypatch.setattr("gatecrash.authorizers.targets.handler.time.perf_counter", lambda: float(next(ticks)))
    answer = opened.invoke(DEVICE)
    assert (answer.outcome, answer.fault.error_type) == (Outcome.TIMED_OUT, "Sandbox.Timedout")


def test_a_handler_may_ask_for_its_remaining_time():
    assert 4000 < LambdaContext().get_remaining_time_in_millis() <= 5000
    assert LambdaContext().aws_request_id != LambdaContext().aws_request_id


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            AuthorizerRequest(mqtt_context=MqttContext(client_id="")),
            VIOLATION.format("mqttContext.clientId", "greater than or equal to 1"),
        ),
        (
            AuthorizerRequest("x" * 6145, "c2ln"),
            VIOLATION.format("token", "less than or equal to 6144"),
        ),
        (AuthorizerRequest(), "Request must have Http/Mqtt/Tls context."),
        (AuthorizerRequest("t"), "Request must provide both token and tokenSignature together."),
        (
            AuthorizerRequest("t", "c2ln"),
            "Token and token signature provided but signing is disabled for the authorizer.",
        ),
        (AuthorizerRequest(http_context=HttpContext(query_string="a=b")), "Invalid arguments in the call"),
    ],
)
def test_what_the_service_refuses_never_reaches_the_handler(target, request_, message):
    opened = target(RECORD)
    answer = opened.invoke(request_)
    assert (answer.outcome, answer.fault.code, answer.fault.message) == (
        Outcome.REJECTED,
        "InvalidRequestException",
        message,
    )
    assert answer.invocation is None
    assert events_of(opened) == []


@pytest.fixture
def signed(target, signing_key, signing_key_public_pem):
    def sign(token):
        return base64.b64encode(signing_key.sign(token.encode(), PKCS1v15(), SHA256())).decode()

    return target(RECORD, token_key_name="Key", signing_keys={"first": signing_key_public_pem}), sign


def test_a_rightly_signed_token_reaches_the_handler_as_verified(signed):
    opened, sign = signed
    assert opened.invoke(AuthorizerRequest("tökén", sign("tökén"))).outcome is Outcome.ALLOW
    [event] = events_of(opened)
    assert (event["token"], event["signatureVerified"]) == ("tökén", True)
    assert "protocolData" not in event


def test_a_signed_token_in_a_context_reaches_the_handler_as_verified(signed):
    opened, sign = signed
    headers = {"Key": "token", "x-amz-customauthorizer-signature": sign("token")}
    assert opened.invoke(AuthorizerRequest(http_context=HttpContext(headers))).outcome is Outcome.ALLOW
    assert events_of(opened)[0]["signatureVerified"] is True


def test_a_token_signed_for_another_is_a_mismatch(signed):
    opened, sign = signed
    answer = opened.invoke(AuthorizerRequest("token", sign("another")))
    assert answer.fault.message == "Token signature mismatch for authorizer gatecrash"
    assert events_of(opened) == []


def test_a_context_without_a_token_is_refused_without_a_message(signed):
    opened, _ = signed
    answer = opened.invoke(DEVICE)
    assert (answer.outcome, answer.fault.code, answer.fault.message) == (
        *(Outcome.REJECTED, "InvalidRequestException", ""),
    )


def test_an_unsigned_authorizers_token_reaches_the_handler_unverified(target):
    opened = target(RECORD, token_key_name="Key")
    opened.invoke(AuthorizerRequest(http_context=HttpContext({"Key": "token"})))
    [event] = events_of(opened)
    assert (event["token"], event["signatureVerified"]) == ("token", False)


def test_a_handlers_file_may_name_its_function(file):
    path = file("def mine(event, context):\n    return 5\n")
    assert load_handler(f"{path}:mine")({}, None) == 5


@pytest.mark.parametrize(
    ("text", "function", "sentence"),
    [
        ("", "handler", "has no function handler"),
        ("handler = 5", "handler", "has no function handler"),
        ("def handler(event, context): pass", "other", "has no function other"),
        ("import no_such_module_anywhere", "handler", "raised ModuleNotFoundError"),
        ("def handler(", "handler", "raised SyntaxError"),
        ("raise SystemExit(1)", "handler", "raised SystemExit"),
    ],
)
def test_a_handler_that_is_none_is_told_in_a_sentence(file, text, function, sentence):
    with pytest.raises(HandlerError, match=sentence):
        load_handler(f"{file(text)}:{function}")


def test_a_file_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(HandlerError, match=r"there is no file .*nowhere\.py"):
        load_handler(str(tmp_path / "nowhere.py"))


def test_a_file_that_is_no_python_is_told_in_a_sentence(tmp_path):
    (tmp_path / "handler.js").write_text("exports.handler = 1")
    with pytest.raises(HandlerError, match="is no Python file"):
        load_handler(str(tmp_path / "handler.js"))


def test_a_handler_may_import_what_lies_beside_it(tmp_path):
    (tmp_path / "beside_the_handler.py").write_text("VALUE = 7\n")
    path = tmp_path / "importing_handler.py"
    path.write_text("import beside_the_handler\n\ndef handler(event, context):\n    return beside_the_handler.VALUE\n")
    assert load_handler(str(path))({}, None) == 7
