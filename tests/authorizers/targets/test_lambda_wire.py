"""The wire client and boto3 at Lambda's Invoke: the same requests on the wire, the same outcome for every answer."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import unquote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext, Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings, LambdaFunctionTarget
from gatecrash.authorizers.targets.lambda_wire import LambdaWireTarget
from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.opening import open_target
from gatecrash.authorizers.targets.protocol import PreparedTarget
from tests.authorizers.strategies import requests
from tests.authorizers.targets.raw_server import RawServer, parts_of
from tests.authorizers.targets.test_iot_wire import ALLOW, DECISIONS, HOSTILE, OTHER_NAME, WHOLE, answer_of
from tests.end_to_end.command import HANDLERS

FUNCTIONS = ["mine", "arn:aws:lambda:eu-west-1:123456789012:function:my_fn:live", "a b/é:$LATEST"]
REQUEST = AuthorizerRequest(mqtt_context=MqttContext("user", b"a secret", "device-1"))
REPORT = "REPORT RequestId: a\tDuration: {} ms\tBilled Duration: 99 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB"


def both(server, function=FUNCTIONS[1], **given):
    chosen = LambdaFunctionSettings(function, region="eu-west-1", endpoint_url=server.url, **given)
    return LambdaFunctionTarget(chosen), LambdaWireTarget(chosen, timeout=2.0)


@pytest.fixture(scope="module")
def server():
    opened = RawServer()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def targets(server):
    opened = both(server)
    yield opened
    for target in opened:
        target.close()


def sent(server, target, request):
    server.received.clear()
    target.invoke(request)
    return [parts_of(raw) for raw in server.received]


def without_id(body):
    event = json.loads(body)
    return event["connectionMetadata"].pop("id"), event


def signature_of(line, headers, body):
    """Return what botocore would sign, given these headers, with the made-up key."""
    request = AWSRequest("POST", f"http://{headers['host']}{line.split()[1]}", data=body)
    for name in ("x-amz-date", "x-amz-log-type"):
        if name in headers:
            request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("gatecrash", "gatecrash"), "lambda", "eu-west-1")
    text = signer.canonical_request(request)
    return signer.signature(signer.string_to_sign(request, text), request)


@settings(max_examples=60)
@given(requests())
def test_both_clients_put_the_same_request_on_the_wire(server, targets, request_drawn):
    server.answer, server.keep_open = lambda _: answer_of(ALLOW), True
    by_boto3, by_wire = (sent(server, target, request_drawn) for target in targets)
    # What AWS IoT refuses before the function reaches Lambda by neither.
    assert len(by_boto3) == len(by_wire) <= 1
    for (line, headers, body), (wire_line, wire_headers, wire_body) in zip(by_boto3, by_wire, strict=True):
        assert wire_line == line
        assert without_id(wire_body)[1] == without_id(body)[1]
        assert without_id(wire_body)[0] != without_id(body)[0]
        assert wire_headers["content-length"] == str(len(wire_body))
        signed = [one["authorization"].split("SignedHeaders=")[1].split(",")[0] for one in (headers, wire_headers)]
        assert signed[0] == signed[1]
        for one, body_sent in ((headers, body), (wire_headers, wire_body)):
            assert one["authorization"].endswith(f"Signature={signature_of(line, one, body_sent)}")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("log_tail", [False, True])
def test_both_clients_name_the_function_and_ask_for_the_log_alike(server, function, log_tail):
    server.answer, server.keep_open = lambda _: answer_of(ALLOW), True
    opened = both(server, function, log_tail=log_tail)
    ((line, headers, _),), ((wire_line, wire_headers, wire_body),) = (sent(server, one, REQUEST) for one in opened)
    assert wire_line == line
    assert unquote(line.split("/")[3]) == function
    assert wire_headers.get("x-amz-log-type") == headers.get("x-amz-log-type") == ("Tail" if log_tail else None)
    assert wire_headers["authorization"].endswith(f"Signature={signature_of(wire_line, wire_headers, wire_body)}")
    for target in opened:
        target.close()


HEADERS = st.lists(
    st.sampled_from(
        [
            "X-Amz-Function-Error: Unhandled",
            "x-amz-function-error: Handled",
            "X-Amz-Function-Error:",
            f"X-Amz-Log-Result: {base64.b64encode(REPORT.format('12.5').encode()).decode()}",
            f"X-Amz-Log-Result: {base64.b64encode(REPORT.format('5001').encode()).decode()}",
            "X-Amz-Log-Result: !",
            "X-Amz-Executed-Version: $LATEST",
            "x-amzn-ErrorType: TooManyRequestsException",
            "x-amzn-ErrorType: ServiceException:http://internal/",
            "x-amzn-ErrorType: ResourceNotFoundException",
            "x-gatecrash-environment: one",
            "x-gatecrash-cold-start: 1",
            "x-gatecrash-handler-seconds: 0.25",
            "x-gatecrash-handler-seconds: 7",
            "x-gatecrash-error-type: ValueError",
            "Connection: close",
            "Retry-After: 1",
            "Retry-After: soon",
        ]
    ),
    max_size=5,
    unique_by=lambda header: header.partition(":")[0].lower(),
)
ERRORS = st.fixed_dictionaries(
    {},
    optional={
        "message": st.sampled_from(["Rate Exceeded.", "", None, 5, []]),
        "Message": st.just("capital"),
        "Reason": st.sampled_from(["ReservedFunctionConcurrentInvocationLimitExceeded", "Other", None, 5]),
        "Type": st.just("User"),
        "retryAfterSeconds": st.just("1"),
        "__type": st.sampled_from(["TooManyRequestsException", "x#EC2ThrottledException", 5]),
        "code": st.sampled_from(["ThrottlingException", 5, None, []]),
        "errorMessage": st.sampled_from(["2026 a Task timed out after 3.00 seconds", "boom", None, 5]),
        "errorType": st.sampled_from(["Sandbox.Timedout", "Odd", None, 5]),
    },
)
JUNK = st.sampled_from([b"", b"{", b"[]", b"null", b"5", b"<html>Sorry</html>", b"\xff", b'{"a":1e999}', b'"text"'])
STATUSES = st.sampled_from([200, 200, 200, 202, 204, 299, 300, 301, 400, 403, 404, 409, 410, 413, 429, 500, 502, 503])
ANSWERS = st.builds(answer_of, DECISIONS | st.just(ALLOW) | ERRORS | JUNK, STATUSES, HEADERS)


@settings(max_examples=300)
@given(ANSWERS)
def test_both_clients_read_every_answer_alike(server, targets, raw):
    server.keep_open = b"Connection: close" not in raw
    server.answer = lambda _: raw
    by_boto3, by_wire = (target.invoke(REQUEST) for target in targets)
    assert by_wire == by_boto3
    # What was learnt of the first answer holds for the next one, and for bodies that are ready.
    body = wire.encode(wire.request_to_wire(REQUEST))
    assert [targets[1].invoke_prepared(body, lambda: REQUEST) for _ in range(2)] == [by_boto3, by_boto3]


@pytest.mark.parametrize("name", HOSTILE)
def test_both_clients_read_odd_and_hostile_answers_alike(server, targets, name):
    server.keep_open = False
    server.answer = lambda _: HOSTILE[name]
    time.sleep(0.05)  # The last connections are closed by now, as both clients are to notice.
    by_boto3, by_wire = (target.invoke(REQUEST) for target in targets)
    assert by_wire.outcome == by_boto3.outcome
    assert by_wire.decision == by_boto3.decision
    if by_boto3.fault is not None and name not in OTHER_NAME:
        assert by_wire.fault.code == by_boto3.fault.code


def test_a_ready_body_is_read_once_and_every_event_has_an_id_of_its_own(server, targets):
    server.answer, server.keep_open = lambda _: WHOLE, True
    server.received.clear()
    target, asked = both(server)[1], []
    assert isinstance(target, PreparedTarget)
    body = wire.encode(wire.request_to_wire(REQUEST))
    answers = [target.invoke_prepared(body, lambda: asked.append(1) or REQUEST) for _ in range(20)]
    assert {answer.outcome for answer in answers} == {Outcome.ALLOW}
    assert all(answer is answers[0] for answer in answers)
    assert len(asked) <= 2
    seen = [without_id(parts_of(raw)[2]) for raw in server.received]
    assert len({connection_id for connection_id, _ in seen}) == 20
    assert all(event == seen[0][1] for _, event in seen)
    target.close()


def test_what_iot_would_refuse_is_refused_without_a_call(server):
    server.received.clear()
    target = both(server)[1]
    refused = AuthorizerRequest(mqtt_context=MqttContext("user", b"", "c"))
    body = wire.encode(wire.request_to_wire(refused))
    assert target.invoke_prepared(body, lambda: refused).outcome is Outcome.REJECTED
    assert target.invoke_prepared(body, lambda: refused) == target.invoke(refused)
    assert server.received == []
    target.close()


def test_both_clients_hear_the_same_of_the_gateway():
    gateway = LocalGateway({"handler": f"{HANDLERS / 'correct.py'}:handler", "authorizer": "any", "provisioned": 1})
    try:
        for function in ("correct", "nobody"):
            chosen = LambdaFunctionSettings(function, endpoint_url=gateway.url, log_tail=True)
            by_boto3, by_wire = (kind(chosen).invoke(REQUEST) for kind in (LambdaFunctionTarget, LambdaWireTarget))
            assert (by_wire.outcome, by_wire.decision, by_wire.fault) == (
                by_boto3.outcome,
                by_boto3.decision,
                by_boto3.fault,
            )
            assert (by_wire.invocation is None) == (by_boto3.invocation is None)
    finally:
        gateway.close()


def test_it_is_opened_by_its_kind():
    opened = open_target(
        {"kind": "lambda_wire", "function": "own", "endpoint_url": "http://127.0.0.1:1"}, connections=3
    )
    assert isinstance(opened, LambdaWireTarget)
    answer = opened.invoke(REQUEST)
    assert (answer.outcome, answer.fault.code) == (Outcome.TRANSPORT_ERROR, "EndpointConnectionError")
    opened.close()


def test_a_proxy_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(UsageError, match=r"set target\.client to boto3"):
        LambdaWireTarget(LambdaFunctionSettings("own", endpoint_url="http://127.0.0.1:9"))
