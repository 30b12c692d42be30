"""The wire client and boto3: the same requests on the wire, the same outcome for every answer."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, Outcome, TlsContext
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.aws_clients import IotApiSettings
from gatecrash.authorizers.targets.iot_api import IotApiTarget
from gatecrash.authorizers.targets.iot_wire import IotWireTarget, _spelt_client_id
from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.wire.signing import SIGNATURE_SECONDS, RequestSigner, SigningCredentials
from tests.authorizers.strategies import TEXTS, requests
from tests.authorizers.targets.raw_server import RawServer, parts_of
from tests.end_to_end.command import DEVICES, HANDLERS

REQUEST = AuthorizerRequest("a secret token", "c2ln")
NAME = "a=b,c@d-e_f"
ALLOW = {
    "isAuthenticated": True,
    "principalId": "me",
    "policyDocuments": ['{"Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}'],
    "refreshAfterInSeconds": 300,
    "disconnectAfterInSeconds": 3600,
}
SAME_HEADERS = ("host", "content-type", "content-length", "accept-encoding")


@pytest.fixture(scope="module")
def server():
    opened = RawServer()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def targets(server):
    """Both clients, at the same server."""
    chosen = IotApiSettings(NAME, region="eu-west-1", endpoint_url=server.url)
    opened = IotApiTarget(chosen), IotWireTarget(chosen, timeout=2.0)
    yield opened
    for target in opened:
        target.close()


def sent(server, target, request):
    server.received.clear()
    target.invoke(request)
    (raw,) = server.received
    return parts_of(raw)


def canonical(headers, line, body):
    """What botocore would sign, given these headers; and its signature with the made-up key."""
    moment = headers["x-amz-date"]
    request = AWSRequest("POST", f"http://{headers['host']}{line.split()[1]}", data=body)
    request.headers["Content-Type"] = headers["content-type"]
    request.headers["X-Amz-Date"] = moment
    request.context["timestamp"] = moment
    signer = SigV4Auth(Credentials("gatecrash", "gatecrash"), "iot", "eu-west-1")
    text = signer.canonical_request(request)
    return text, signer.signature(signer.string_to_sign(request, text), request)


@settings(max_examples=60)
@given(requests())
def test_both_clients_put_the_same_request_on_the_wire(server, targets, request_drawn):
    server.answer, server.keep_open = lambda _: answer_of(ALLOW), True
    (line, headers, body), (wire_line, wire_headers, wire_body) = (
        sent(server, target, request_drawn) for target in targets
    )
    assert wire_line == line
    assert json.loads(wire_body) == json.loads(body)
    assert wire_headers["authorization"].partition("Signature=")[0][:40] == headers["authorization"][:40]
    for name in SAME_HEADERS[:2]:
        assert wire_headers[name] == headers[name]
    assert wire_headers["content-length"] == str(len(wire_body))
    for one, body_sent in ((headers, body), (wire_headers, wire_body)):
        _, signature = canonical(one, line, body_sent)
        assert one["authorization"].endswith(f"Signature={signature}")


def answer_of(value, status=200, headers=(), reason="OK"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


DECISIONS = st.fixed_dictionaries(
    {},
    optional={
        "isAuthenticated": st.sampled_from([True, False, "true", 1, None, [], {}]),
        "principalId": st.sampled_from(["me", "", None, 5, []]),
        "policyDocuments": st.sampled_from([ALLOW["policyDocuments"], [], ["{}", "no JSON"], [5], "x", None, {}, 5]),
        "refreshAfterInSeconds": st.sampled_from([300, 0, -1, "300", None, 1.5, True, 10**30, "x", 1e308 * 10]),
        "disconnectAfterInSeconds": st.sampled_from([3600, None, "x"]),
        "unknown": st.just(1),
    },
)
ERROR_BODIES = st.fixed_dictionaries(
    {},
    optional={
        "message": st.sampled_from(
            ["Rate exceeded", "no", "", None, 5, [], "… encountered error in execution: x: KeyError"]
        ),
        "Message": st.just("capital"),
        "__type": st.sampled_from(["com.amazonaws#ThrottlingException", "InvalidRequestException:http://x", "X", 5]),
        "code": st.sampled_from(["ThrottlingException", "aws#InternalFailureException", 5, None]),
    },
)
BODIES = (
    DECISIONS
    | ERROR_BODIES
    | st.just(ALLOW)
    | st.sampled_from([b"", b"{", b"[]", b"null", b"5", b"<html><body>Sorry</body></html>", b"\xff", b'{"a":1e999}'])
)
HEADERS = st.lists(
    st.sampled_from(
        [
            "x-amzn-ErrorType: ThrottlingException",
            "X-Amzn-Errortype: InvalidResponseException:http://internal/",
            "x-amzn-RequestId: 5",
            "x-gatecrash-environment: one",
            "x-gatecrash-cold-start: 1",
            "x-gatecrash-handler-seconds: 0.25",
            "x-gatecrash-handler-seconds: many",
            "x-gatecrash-notes: a,b",
            "x-gatecrash-error-type: ValueError",
            "Content-Type: application/json",
            "Connection: close",
            "X-Odd:",
        ]
    ),
    max_size=5,
    unique=True,
)
ANSWERS = st.builds(
    answer_of, BODIES, st.sampled_from([200, 201, 204, 299, 300, 301, 400, 403, 404, 422, 429, 500, 502, 503]), HEADERS
)


def chunked(value, size=7, end=b"0\r\n\r\n"):
    body = json.dumps(value).encode()
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[place : place + size]), body[place : place + size])
        for place in range(0, len(body), size)
    )
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + end


WHOLE = answer_of(ALLOW)
HOSTILE = {
    "chunked": chunked(ALLOW),
    "chunked in parts": [chunked(ALLOW)[place : place + 9] for place in range(0, len(chunked(ALLOW)), 9)],
    "chunked without an end": chunked(ALLOW, end=b""),
    "chunk size that is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "byte by byte": [WHOLE[place : place + 1] for place in range(len(WHOLE))],
    "head and body apart": [WHOLE[: WHOLE.index(b"{")], WHOLE[WHOLE.index(b"{") :]],
    "until the end": b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(ALLOW).encode(),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(ALLOW).encode(),
    "lower case": WHOLE.replace(b"Content-Length", b"content-length"),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
    "nothing": None,
    "no HTTP": b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "truncated": WHOLE[:-7],
    "too long a head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "status that is no number": b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\n{}",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
}
# What urllib3 does with these before botocore sees them: the outcome is the same, only the name differs.
OTHER_NAME = {"chunked without an end", "chunk size that is no number", "truncated", "half a head", "no HTTP"}


def outcomes(server, targets, answer):
    server.answer = lambda _: answer
    return [target.invoke(REQUEST) for target in targets]


@settings(max_examples=200)
@given(ANSWERS)
def test_both_clients_read_every_answer_alike(server, targets, raw):
    server.keep_open = b"Connection: close" not in raw
    by_boto3, by_wire = outcomes(server, targets, raw)
    assert by_wire == by_boto3
    # What was learnt of the first answer holds for the next one.
    assert targets[1].invoke(REQUEST) == by_boto3


@pytest.mark.parametrize("name", HOSTILE)
def test_both_clients_read_odd_and_hostile_answers_alike(server, targets, name):
    server.keep_open = False
    time.sleep(0.05)  # The last connections are closed by now, as both clients are to notice.
    by_boto3, by_wire = outcomes(server, targets, HOSTILE[name])
    assert by_wire.outcome == by_boto3.outcome
    assert by_wire.decision == by_boto3.decision
    if by_boto3.fault is not None and name not in OTHER_NAME:
        assert by_wire.fault.code == by_boto3.fault.code


@given(requests())
def test_a_client_id_is_read_out_of_a_body_as_it_is_spelt_there(request_drawn):
    spelt = _spelt_client_id(wire.encode(wire.request_to_wire(request_drawn)))
    assert (None if spelt is None else wire.decode(spelt)) == request_drawn.client_id


@pytest.mark.parametrize("client_id", [None, "mine", 'a"b', "back\\slash\\", '"clientId":"x"', "\ud800", ""])
@pytest.mark.parametrize("text", ["clientId", '"mqttContext":{"clientId":"other"}', '\\"clientId":"other'])
def test_a_client_id_is_never_taken_from_elsewhere(client_id, text):
    request = AuthorizerRequest(
        text,
        http_context=HttpContext({"clientId": "other", "mqttContext": text, text: text}, f"?{text}"),
        mqtt_context=MqttContext(text, text.encode(), client_id),
        tls_context=TlsContext(text),
    )
    spelt = _spelt_client_id(wire.encode(wire.request_to_wire(request)))
    assert (None if spelt is None else wire.decode(spelt)) == client_id
    without = replace(request, mqtt_context=None)
    assert _spelt_client_id(wire.encode(wire.request_to_wire(without))) is None


def test_the_same_answer_is_an_allowance_for_one_client_id_and_none_for_another(server, targets):
    document = '{"Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/mine"}]}'
    server.answer, server.keep_open = lambda _: answer_of({**ALLOW, "policyDocuments": [document]}), True
    for _ in range(2):
        for target in targets:
            outcomes = [
                target.invoke(AuthorizerRequest(mqtt_context=MqttContext("user", b"password", name))).outcome
                for name in ("mine", "other", "mine")
            ]
            assert outcomes == [Outcome.ALLOW, Outcome.REFUSED_BY_POLICY, Outcome.ALLOW]


def test_two_lengths_that_differ_are_no_answer(server, targets):
    """botocore takes the first: a smuggled answer would be read as one that was never given."""
    server.keep_open = False
    raw = WHOLE.replace(b"Content-Length", b"Content-Length: 2\r\nContent-Length")
    assert outcomes(server, targets, raw)[1].outcome is Outcome.TRANSPORT_ERROR


def test_more_bytes_than_the_length_are_never_taken_for_the_next_answer(server, targets):
    server.keep_open = True
    _, by_wire = outcomes(server, targets, WHOLE + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert by_wire.outcome is Outcome.ALLOW
    server.answer = lambda _: answer_of({**ALLOW, "isAuthenticated": False})
    assert targets[1].invoke(REQUEST).outcome is Outcome.DENY


def test_a_connection_serves_many_requests_and_a_closed_one_is_replaced(server):
    target = IotWireTarget(IotApiSettings(NAME, endpoint_url=server.url), timeout=2.0)
    server.answer, server.keep_open = lambda _: WHOLE, True
    before = server.connections
    assert {target.invoke(REQUEST).outcome for _ in range(50)} == {Outcome.ALLOW}
    assert server.connections == before + 1
    server.keep_open = False
    assert target.invoke(REQUEST).outcome is Outcome.ALLOW
    time.sleep(0.1)
    server.keep_open = True
    assert target.invoke(REQUEST).outcome is Outcome.ALLOW
    assert server.connections == before + 2
    target.close()


def test_a_request_is_never_sent_twice(server):
    target = IotWireTarget(IotApiSettings(NAME, endpoint_url=server.url), timeout=2.0)
    server.keep_open = True
    server.answer = lambda _: WHOLE
    target.invoke(REQUEST)
    server.received.clear()
    server.answer = lambda _: None
    assert target.invoke(REQUEST).fault.code == "ConnectionClosedError"
    assert len(server.received) == 1
    target.close()


def test_many_threads_get_their_own_answers(server):
    target = IotWireTarget(IotApiSettings(NAME, endpoint_url=server.url))

    def answer(request):
        *_, body = parts_of(request)
        return answer_of({**ALLOW, "principalId": json.loads(body)["token"]})

    server.answer, server.keep_open = answer, True
    with ThreadPoolExecutor(16) as pool:
        tokens = [f"t{number % 40}" for number in range(600)]
        answers = list(pool.map(lambda token: target.invoke(AuthorizerRequest(token)), tokens))
    assert [one.decision.principal_id for one in answers] == tokens
    target.close()


def test_a_server_that_says_nothing_times_out(server):
    target = IotWireTarget(IotApiSettings(NAME, endpoint_url=server.url), timeout=0.2)
    release = threading.Event()
    server.answer = lambda _: release.wait(5) and WHOLE
    answer = target.invoke(REQUEST)
    release.set()
    assert (answer.outcome, answer.fault.code) == (Outcome.TRANSPORT_ERROR, "ReadTimeoutError")
    assert "secret" not in answer.fault.message
    target.close()


def test_a_port_where_nobody_listens():
    targets = [kind(IotApiSettings(NAME, endpoint_url="http://127.0.0.1:9")) for kind in (IotApiTarget, IotWireTarget)]
    by_boto3, by_wire = (target.invoke(REQUEST) for target in targets)
    assert by_wire == by_boto3
    for target in targets:
        target.close()


def test_a_proxy_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(UsageError, match=r"set target\.client to boto3"):
        IotWireTarget(IotApiSettings(NAME, endpoint_url="http://127.0.0.1:9"))


def signer(clock, credentials):
    return RequestSigner(
        "iot.eu-west-1.amazonaws.com",
        "/authorizer/a%3Db/test",
        region="eu-west-1",
        service="iot",
        credentials=credentials,
        user_agent="gatecrash",
        headers={"Content-Type": "application/json"},
        repeated=True,
        clock=clock,
    )


@given(st.text("abc/+=123", min_size=1), st.none() | st.text("abc/+=", min_size=1), st.integers(0, 2**32), TEXTS)
def test_signatures_are_those_of_botocore(secret, token, now, text):
    body = wire.encode({"token": text})
    head = signer(lambda: float(now), lambda: SigningCredentials("AKID", secret, token)).head(body)
    line, headers, _ = parts_of(head + body)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    assert headers["x-amz-date"] == stamp
    request = AWSRequest("POST", f"https://iot.eu-west-1.amazonaws.com{line.split()[1]}", data=body)
    request.headers["Content-Type"] = "application/json"
    request.headers["X-Amz-Date"] = stamp
    if token is not None:
        request.headers["X-Amz-Security-Token"] = token
    request.context["timestamp"] = stamp
    botocore_signer = SigV4Auth(Credentials("AKID", secret, token), "iot", "eu-west-1")
    text = botocore_signer.canonical_request(request)
    signature = botocore_signer.signature(botocore_signer.string_to_sign(request, text), request)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_a_signature_is_used_again_until_it_is_old_or_the_credentials_are_new():
    now, current = [1_000_000.0], [SigningCredentials("ONE", "x")]
    made = signer(lambda: now[0], lambda: current[0])
    first = made.head(b"{}")
    now[0] += SIGNATURE_SECONDS - 1
    assert made.head(b"{}") is first
    later = made.head(b"[]")
    assert parts_of(later)[1]["x-amz-date"] > parts_of(first)[1]["x-amz-date"]
    now[0] += 1
    again = made.head(b"{}")
    assert parts_of(again)[1]["x-amz-date"] > parts_of(later)[1]["x-amz-date"]
    current[0] = SigningCredentials("TWO", "y", "temporary")
    assert "Credential=TWO/" in parts_of(made.head(b"{}"))[1]["authorization"]
    assert parts_of(made.head(b"{}"))[1]["x-amz-security-token"] == "temporary"


def test_a_clock_that_was_set_back_gets_new_signatures():
    now = [1_000_000.0]
    made = signer(lambda: now[0], lambda: SigningCredentials("ONE", "x"))
    first = made.head(b"{}")
    now[0] -= 3600
    assert parts_of(made.head(b"{}"))[1]["x-amz-date"] < parts_of(first)[1]["x-amz-date"]


@pytest.fixture(scope="module")
def gateway():
    opened = LocalGateway(
        {
            "handler": f"{HANDLERS / 'correct.py'}:handler",
            "authorizer": "mine",
            "region": "us-east-1",
            "folder": str(HANDLERS),
            "command": None,
            "token_key_name": None,
            "signing_keys": {},
            "calls_per_second": None,
        }
    )
    yield opened
    opened.close()


def test_both_clients_hear_the_same_of_the_gateway(gateway):
    chosen = IotApiSettings("mine", endpoint_url=gateway.url)
    targets = [IotApiTarget(chosen), IotWireTarget(chosen)]
    device = json.loads(DEVICES.read_text().splitlines()[0])
    contexts = [
        MqttContext(device["username"], device["password"].encode(), device["client_id"]),
        MqttContext(device["username"], b"wrong", device["client_id"]),
        MqttContext("x" * 70_000, b"wrong", None),
        MqttContext("\ud800", b"\xff", ""),
    ]
    for context in contexts:
        by_boto3, by_wire = (target.invoke(AuthorizerRequest(mqtt_context=context)) for target in targets)
        assert (by_wire.outcome, by_wire.decision, by_wire.fault) == (
            by_boto3.outcome,
            by_boto3.decision,
            by_boto3.fault,
        )
        assert (by_wire.invocation is None) == (by_boto3.invocation is None)
    for target in targets:
        target.close()
