"""Lambda's Invoke at the gateway, by boto3 and the AWS CLI."""

import base64
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from authorizers.targets.aws_clients import service_client
from authorizers.targets.local import LocalGateway

HANDLER = """
import time


def handler(event, context):
    if event == "raise":
        raise KeyError("nothing")
    if event == "sleep":
        time.sleep(0.5)
    if event == "hang":
        time.sleep(30)
    return {"given": event}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    path = tmp_path_factory.mktemp("functions") / "my_function.py"
    path.write_text(HANDLER)
    opened = LocalGateway(
        {
            "handler": f"{path}:handler",
            "authorizer": "mine",
            "provisioned": 0,
            "concurrency": 1,
            "timeout": 1.0,
            "port": 0,
        }
    )
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(gateway):
    made = service_client("lambda", region=None, profile=None, endpoint_url=gateway.url, connections=8)
    yield made
    made.close()


def invoke(client, event, name="my_function", **more):
    response = client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
    return response, json.loads(response["Payload"].read() or b"null")


@pytest.mark.parametrize(
    "name",
    [
        "my_function",
        "my_function:live",
        "123456789012:function:my_function",
        "arn:aws:lambda:us-east-1:123456789012:function:my_function:3",
    ],
)
def test_a_function_is_found_by_name_and_arn(client, name):
    response, payload = invoke(client, {"a": 1}, name)
    assert payload == {"given": {"a": 1}}
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response


def test_what_a_function_raises_is_told_in_the_payload(client):
    response, payload = invoke(client, "raise")
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert payload == {"errorMessage": "'nothing'", "errorType": "KeyError"}


def test_a_function_that_hangs_is_ended(client):
    response, payload = invoke(client, "hang")
    assert response["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in payload["errorMessage"]


def test_the_log_tells_durations_and_cold_starts(client):
    invoke(client, "hang")  # Its environment is of no more use: the next invocation starts one.
    logs = [base64.b64decode(invoke(client, 1, LogType="Tail")[0]["LogResult"]).decode() for _ in range(2)]
    assert all("\tDuration: " in log and "START RequestId: " in log for log in logs)
    assert ["Init Duration: " in log for log in logs] == [True, False]
    assert "LogResult" not in invoke(client, 1)[0]


def refused(client, **parameters):
    with pytest.raises(ClientError) as caught:
        client.invoke(**{"FunctionName": "my_function", "Payload": b"{}", **parameters})
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error


def test_more_at_a_time_than_the_concurrency_are_throttled_with_the_reason(client):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(invoke, client, "sleep")
        time.sleep(0.2)
        status, code, error = refused(client)
        assert first.result()[1] == {"given": "sleep"}
    assert (status, code) == (429, "TooManyRequestsException")
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert error["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"FunctionName": "nobody"}, 404, "ResourceNotFoundException"),
        ({"Payload": b"no JSON"}, 400, "InvalidRequestContentException"),
        ({"Payload": b'"' + b"x" * 6 * 1024 * 1024 + b'"'}, 413, "RequestTooLargeException"),
        ({"Payload": b'"' + b"x" * 13 * 1024 * 1024 + b'"'}, 413, "RequestTooLargeException"),
        ({"InvocationType": "Event"}, 400, "InvalidParameterValueException"),
    ],
)
def test_what_can_not_be_invoked_is_refused_as_lambda_does(client, parameters, status, code):
    assert refused(client, **parameters)[:2] == (status, code)


def test_a_dry_run_runs_nothing(client):
    assert client.invoke(FunctionName="my_function", InvocationType="DryRun")["StatusCode"] == 204


def test_the_aws_cli_invokes_too(gateway, tmp_path):
    command = [
        Path(sys.executable).parent / "aws",
        *("lambda", "invoke", "--function-name", "my_function", "--payload", '{"a": 1}'),
        *("--endpoint-url", gateway.url, "--region", "us-east-1", tmp_path / "answer.json"),
    ]
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_CONFIG_FILE": "/dev/null"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["StatusCode"] == 200
    assert json.loads((tmp_path / "answer.json").read_text()) == {"given": {"a": 1}}
