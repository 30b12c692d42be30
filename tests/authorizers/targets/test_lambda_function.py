"""The function by Lambda's Invoke says what TestInvokeAuthorizer says of the authorizer."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, Outcome
from authorizers.targets.aws_clients import IotApiSettings
from authorizers.targets.iot_wire import IotWireTarget
from authorizers.targets.lambda_function import LambdaFunctionSettings, LambdaFunctionTarget
from authorizers.targets.local import LocalGateway
from tests.authorizers.strategies import requests

HANDLER = """
import time

POLICY = {"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}


def handler(event, context):
    name = ((event.get("protocolData") or {}).get("mqtt") or {}).get("username", "")
    if name == "raise":
        raise KeyError(name)
    if name == "hang":
        time.sleep(30)
    if name == "malformed":
        return {"isAuthenticated": "yes"}
    if name == "text":
        return '{"isAuthenticated": true, "principalId": "me", "policyDocuments": []}'
    allowed = len(str(event)) % 2 == 0 if name != "allow" else True
    return {"isAuthenticated": allowed, "principalId": "me", "policyDocuments": [POLICY]}
"""
BY_HTTP = AuthorizerRequest(http_context=HttpContext({"A": "b"}))
NAMES = ["allow", "raise", "malformed", "text", "", "somebody"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    path = tmp_path_factory.mktemp("functions") / "my_function.py"
    path.write_text(HANDLER)
    opened = LocalGateway(
        {
            "handler": f"{path}:handler",
            "authorizer": "mine",
            "provisioned": 1,
            "concurrency": 2,
            "timeout": 1.0,
            "port": 0,
        }
    )
    yield opened
    opened.close()


def target_at(gateway, name="my_function", **more):
    return LambdaFunctionTarget(LambdaFunctionSettings(name, endpoint_url=gateway.url, **more))


@pytest.fixture(scope="module")
def by_lambda(gateway):
    opened = target_at(gateway)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def by_iot(gateway):
    opened = IotWireTarget(IotApiSettings("mine", endpoint_url=gateway.url))
    yield opened
    opened.close()


def asked(name, password=b"x"):
    return AuthorizerRequest(mqtt_context=MqttContext(username=name, password=password, client_id="me"))


@hypothesis_settings(max_examples=80)
@given(
    requests() | st.sampled_from(NAMES).map(asked) | st.just(AuthorizerRequest(http_context=HttpContext({"A": "b"})))
)
def test_both_ways_come_to_the_same(by_lambda, by_iot, request_drawn):
    one, other = by_lambda.invoke(request_drawn), by_iot.invoke(request_drawn)
    assert (one.outcome, one.decision, one.fault, one.notes) == (
        other.outcome,
        other.decision,
        other.fault,
        other.notes,
    )


def test_a_function_that_hangs_times_out(by_lambda):
    answer = by_lambda.invoke(asked("hang"))
    assert (answer.outcome, answer.fault.error_type) == (Outcome.TIMED_OUT, "Sandbox.Timedout")


def test_a_throttle_tells_which_limit_it_was(by_lambda):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: by_lambda.invoke(asked("hang")), range(4)))
    throttled = [answer for answer in answers if answer.outcome is Outcome.THROTTLED]
    assert throttled
    assert {answer.fault.error_type for answer in throttled} == {"ReservedFunctionConcurrentInvocationLimitExceeded"}


def test_a_function_that_is_not_there_is_no_fault_of_the_authorizer(gateway):
    target = target_at(gateway, "nobody")
    answer = target.invoke(asked("allow"))
    assert (answer.outcome, answer.fault.code) == (Outcome.REJECTED, "ResourceNotFoundException")
    target.close()


def test_nobody_listens():
    target = LambdaFunctionTarget(LambdaFunctionSettings("f", endpoint_url="http://127.0.0.1:9"))
    assert target.invoke(asked("allow")).outcome is Outcome.TRANSPORT_ERROR
    description = target.description()
    assert json.dumps(description)
    assert (description["kind"], description["function"]) == ("lambda_function", "f")
    target.close()


def test_the_log_tail_is_asked_for_when_wanted(gateway):
    target = target_at(gateway, log_tail=True)
    assert target.invoke(asked("allow")).outcome is Outcome.ALLOW
    target.close()
