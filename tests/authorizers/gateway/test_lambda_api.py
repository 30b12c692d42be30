"""Lambda's Invoke at the gateway, as boto3 and the AWS CLI see it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from gatecrash.authorizers.gateway.environments import InvocationResult
from gatecrash.authorizers.gateway.lambda_api import log_of
from gatecrash.authorizers.targets.local import LocalGateway
from tests.authorizers.gateway.serving import SIGNED

MODEL = ServiceModel(Loader().load_service_model("lambda", "service-2", "2015-03-31"))
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
ARN = "arn:aws:lambda:us-east-1:123456789012:function:echo"
HANDLER = """
    import os, time

    COUNT = 0

    def handler(event, context):
        global COUNT
        COUNT += 1
        match event.get("do"):
            case "raise": raise ValueError("no such device")
            case "hang": time.sleep(60)
            case "wait": time.sleep(0.6)
            case "exit": os._exit(3)
            case "request id": return context.aws_request_id
            case "count": return [COUNT, os.getpid()]
        return event
"""


def gateway_of(folder, **settings):
    path = folder / "echo.py"
    path.write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    return LocalGateway({"handler": f"{path}:handler", "authorizer": "auth", "provisioned": 1, **settings})


def client_of(url, service="lambda"):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    gateway = gateway_of(tmp_path_factory.mktemp("handler"), timeout=0.7)
    yield gateway.url
    gateway.close()


@pytest.fixture(scope="module")
def client(url):
    made = client_of(url)
    yield made
    made.close()


def invoke(client, event=None, **parameters):
    response = client.invoke(
        **{"FunctionName": "echo", "Payload": b"" if event is None else json.dumps(event), **parameters}
    )
    return response, response["Payload"].read()


def header(response, name):
    return response["ResponseMetadata"]["HTTPHeaders"].get(name)


def test_the_payload_comes_back_with_lambdas_members(client):
    response, payload = invoke(client, {"a": "\ud800", "b": 2**70})
    assert json.loads(payload) == {"a": "\ud800", "b": 2**70}
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response
    assert "LogResult" not in response
    assert header(response, "x-gatecrash-environment") == "echo-1"
    assert float(header(response, "x-gatecrash-handler-seconds")) > 0


def test_the_requests_id_is_the_one_that_the_handler_sees(client):
    response, payload = invoke(client, {"do": "request id"})
    assert json.loads(payload) == response["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [
        *[("echo", None), ("echo", "$LATEST"), ("echo:live", None), ("echo:live", "live"), (ARN, "7")],
        *[(ARN, None), (f"{ARN}:live", None), ("123456789012:function:echo", None), ("function:echo", None)],
    ],
)
def test_a_function_is_found_by_its_name_and_by_its_arns(client, name, qualifier):
    given = {} if qualifier is None else {"Qualifier": qualifier}
    assert invoke(client, {"x": 1}, FunctionName=name, **given)[1] == b'{"x": 1}'


def test_nothing_is_an_empty_event(client):
    assert invoke(client)[1] == b"{}"


def refusal(call, *arguments, **parameters):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    found = caught.value.response
    modelled = MODEL.shape_for(found["Error"]["Code"]) if found["Error"]["Code"] != "ValidationException" else None
    status = found["ResponseMetadata"]["HTTPStatusCode"]
    assert modelled is None or status == modelled.metadata["error"]["httpStatusCode"]
    return status, found["Error"]["Code"], found["Error"]["Message"]


def test_what_is_wrong_with_a_request_has_lambdas_code_and_status(client):
    assert refusal(invoke, client, FunctionName="nobody") == (
        *(404, "ResourceNotFoundException", f"Function not found: {ARN.replace('echo', 'nobody')}"),
    )
    for junk in (b"{", b"{} junk", b"\xff", b"NaN"):
        assert refusal(invoke, client, Payload=junk)[:2] == (400, "InvalidRequestContentException")
    large = json.dumps("x" * 6 * 1024 * 1024)
    assert refusal(invoke, client, Payload=large)[:2] == (413, "RequestTooLargeException")
    assert refusal(invoke, client, FunctionName="a b")[:2] == (400, "ValidationException")
    mismatch = {"FunctionName": "echo:live", "Qualifier": "old"}
    assert refusal(invoke, client, **mismatch)[:2] == (400, "InvalidParameterValueException")


def test_events_without_an_answer_are_refused_in_a_sentence(client):
    status, code, message = refusal(invoke, client, {}, InvocationType="Event")
    assert (status, code) == (400, "InvalidParameterValueException")
    assert message == "InvocationType is Event; the gateway has RequestResponse and DryRun"


def test_a_dry_run_looks_for_the_function_and_runs_nothing(client):
    before = json.loads(invoke(client, {"do": "count"})[1])
    response, payload = invoke(client, {"do": "count"}, InvocationType="DryRun")
    assert (response["StatusCode"], payload) == (204, b"")
    assert refusal(invoke, client, InvocationType="DryRun", FunctionName="nobody")[1] == "ResourceNotFoundException"
    after = json.loads(invoke(client, {"do": "count"})[1])
    assert after == [before[0] + 1, before[1]]


def test_a_handler_that_raises_is_told_in_the_payload(client):
    response, payload = invoke(client, {"do": "raise"})
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert json.loads(payload) == {"errorType": "ValueError", "errorMessage": "no such device"}
    assert header(response, "x-gatecrash-error-type") == "ValueError"


def test_a_handler_that_ends_its_process(client):
    response, payload = invoke(client, {"do": "exit"})
    assert response["FunctionError"] == "Unhandled"
    assert json.loads(payload)["errorType"] == "Runtime.ExitError"


def decoded(response):
    return base64.b64decode(response["LogResult"]).decode()


def test_a_handler_that_hangs_is_told_as_lambda_does_with_its_log(client):
    response, payload = invoke(client, {"do": "hang"}, LogType="Tail")
    request_id = response["ResponseMetadata"]["RequestId"]
    assert json.loads(payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 0.70 seconds",
    }
    assert "Status: timeout" in decoded(response)


def test_the_log_tail_tells_of_the_cold_start_once(client):
    invoke(client, {"do": "exit"})
    cold, warm = (invoke(client, {}, LogType="Tail")[0] for _ in range(2))
    request_id = cold["ResponseMetadata"]["RequestId"]
    assert re.fullmatch(
        rf"START RequestId: {request_id} Version: \$LATEST\nEND RequestId: {request_id}\nREPORT RequestId: {request_id}"
        r"\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tInit Duration: [\d.]+ ms\t\n",
        decoded(cold),
    )
    assert (header(cold, "x-gatecrash-cold-start"), header(warm, "x-gatecrash-cold-start")) == ("1", "0")
    assert float(re.search(r"Init Duration: ([\d.]+) ms", decoded(cold))[1]) > 10
    assert "Init Duration" not in decoded(warm)


def test_a_log_is_what_lambda_writes():
    result = InvocationResult(b"", "", "", "e-1", True, 0.0123456, "id", 0.25)
    assert log_of(result) == (
        "START RequestId: id Version: $LATEST\nEND RequestId: id\n"
        "REPORT RequestId: id\tDuration: 12.35 ms\tBilled Duration: 263 ms\tMemory Size: 128 MB\t"
        "Init Duration: 250.00 ms\t\n"
    )


def send(url, path, method="POST", headers=SIGNED):
    request = urllib.request.Request(url + path, method=method, data=b"{}", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_routes_and_signatures(url):
    path = f"/2015-03-31/functions/{quote(ARN, safe='')}/invocations"
    assert send(url, path)[0] == 200
    status, headers = send(url, path, headers={})
    assert (status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
    for method, other in (("GET", path), ("POST", "/2015-03-31/functions/echo"), ("POST", f"{path}/")):
        assert send(url, other, method)[0] == 404


def test_one_environment_serves_lambda_and_iot_alike(tmp_path):
    gateway = gateway_of(tmp_path, concurrency=1)
    try:
        client, iot = client_of(gateway.url), client_of(gateway.url, "iot")

        def occupy():
            # The environment may be taken by the other thread's call just now.
            while True:
                try:
                    return client.invoke(FunctionName="echo", Payload=b'{"do": "wait"}')
                except client.exceptions.TooManyRequestsException:
                    time.sleep(0.01)

        with ThreadPoolExecutor(1) as pool:
            busy = pool.submit(occupy)
            found = None
            while not busy.done() and found is None:
                try:
                    client.invoke(FunctionName="echo", Payload=b"{}")["Payload"].read()
                except ClientError as error:
                    found = error.response
            with pytest.raises(iot.exceptions.ThrottlingException, match="Rate exceeded"):
                iot.test_invoke_authorizer(authorizerName="auth", mqttContext={"clientId": "c"})
            assert busy.result()["StatusCode"] == 200
        assert found["Error"]["Code"] == "TooManyRequestsException"
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert found["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert found["Type"] == "User"
        assert found["retryAfterSeconds"] == "1"
    finally:
        gateway.close()


def test_injected_faults_are_lambdas_own(tmp_path):
    rates = {"ThrottlingException": 0.3, "InternalFailureException": 0.3, "UnauthorizedException": 0.2}
    gateway = gateway_of(tmp_path, faults={"errors": rates, "seed": 3})
    try:
        client = client_of(gateway.url)
        found = set()
        for _ in range(30):
            try:
                found.add(invoke(client, {})[0]["StatusCode"])
            except ClientError as error:
                found.add((error.response["Error"]["Code"], error.response.get("Reason")))
        assert found == {200, ("TooManyRequestsException", "CallerRateLimitExceeded"), ("ServiceException", None)}
    finally:
        gateway.close()


def test_the_command_line_of_aws(url, tmp_path):
    environment = {**os.environ, **CREDENTIALS, "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_PAGER": ""}
    command = [str(Path(sys.executable).parent / "aws"), "--endpoint-url", url, "lambda", "invoke"]
    arguments = ["--function-name", "echo", "--payload", '{"a": 1}', "--log-type", "Tail", "--output", "json"]
    out = tmp_path / "out.json"
    done = subprocess.run(
        [*command, *arguments, str(out)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text()) == {"a": 1}
    assert "REPORT" in decoded(json.loads(done.stdout))
