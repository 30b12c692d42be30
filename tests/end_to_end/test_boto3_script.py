"""A plain boto3 script, and the AWS CLI, against the gateway in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HANDLER = """
def handler(event, context):
    if event.get("protocolData", {}).get("mqtt", {}).get("password") == "bm9uc2Vuc2U=":
        return "nonsense"
    return {
        "isAuthenticated": True,
        "principalId": "device1",
        "policyDocuments": [{"Version": "2012-10-17", "Statement": []}],
        "refreshAfterInSeconds": 600,
    }
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function:authorizer"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "made", "AWS_SECRET_ACCESS_KEY": "up", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def gateway(folder: Path, **settings: Any) -> Iterator[str]:
    handler = folder / "authorizer.py"
    handler.write_text(HANDLER, encoding="utf-8")
    settings = {"handler": f"{handler}:handler", "provisioned": 1, **settings}
    with subprocess.Popen(
        [sys.executable, "-m", "gatecrash.authorizers.gateway"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(settings).encode() + b"\n")
            process.stdin.flush()
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            assert process.wait(10) == 0


@contextmanager
def client_of(url: str) -> Iterator[Any]:
    session = boto3.Session(aws_access_key_id="made", aws_secret_access_key="up", region_name="us-east-1")
    client = session.client("iot", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    with gateway(tmp_path_factory.mktemp("gateway")) as address:
        yield address


@pytest.fixture
def iot(url) -> Iterator[Any]:
    with client_of(url) as client:
        yield client


def test_a_set_up_script_and_an_invocation(iot):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    created = iot.create_authorizer(
        authorizerName="signed",
        authorizerFunctionArn=ARN,
        tokenKeyName="Token",
        tokenSigningPublicKeys={"first": pem},
        tags=[{"Key": "a", "Value": "b"}],
    )
    assert created["authorizerArn"] == "arn:aws:iot:us-east-1:123456789012:authorizer/signed"
    iot.update_authorizer(authorizerName="signed", status="ACTIVE")
    described = iot.describe_authorizer(authorizerName="signed")["authorizerDescription"]
    assert (described["status"], described["tokenSigningPublicKeys"]) == ("ACTIVE", {"first": pem})
    assert described["lastModifiedDate"] >= described["creationDate"]
    assert "signed" in [one["authorizerName"] for one in iot.list_authorizers()["authorizers"]]
    iot.set_default_authorizer(authorizerName="signed")
    assert iot.describe_default_authorizer()["authorizerDescription"]["authorizerName"] == "signed"

    signature = base64.b64encode(key.sign(b"token", PKCS1v15(), SHA256())).decode()
    answer = iot.test_invoke_authorizer(authorizerName="signed", token="token", tokenSignature=signature)
    assert answer["isAuthenticated"] is True
    assert answer["principalId"] == "device1"
    assert answer["policyDocuments"] == ['{"Version":"2012-10-17","Statement":[]}']
    assert (answer["refreshAfterInSeconds"], answer["disconnectAfterInSeconds"]) == (600, 86400)
    assert answer["ResponseMetadata"]["RequestId"]

    iot.clear_default_authorizer()
    iot.update_authorizer(authorizerName="signed", status="INACTIVE")
    iot.delete_authorizer(authorizerName="signed")
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_authorizer(authorizerName="signed")


def test_the_errors_that_a_request_or_a_handler_causes(iot):
    iot.create_authorizer(authorizerName="plain", authorizerFunctionArn=ARN, signingDisabled=True)
    with pytest.raises(iot.exceptions.ResourceAlreadyExistsException):
        iot.create_authorizer(authorizerName="plain", authorizerFunctionArn=ARN, signingDisabled=True)
    with pytest.raises(iot.exceptions.ResourceNotFoundException, match="Authorizer nobody not found"):
        iot.test_invoke_authorizer(authorizerName="nobody", mqttContext={"clientId": "c"})
    with pytest.raises(iot.exceptions.InvalidRequestException, match="Request must have Http/Mqtt/Tls context"):
        iot.test_invoke_authorizer(authorizerName="plain")
    with pytest.raises(iot.exceptions.InvalidResponseException, match="result is in invalid format") as caught:
        iot.test_invoke_authorizer(authorizerName="plain", mqttContext={"password": b"nonsense"})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("ThrottlingException", 400),
        ("UnauthorizedException", 401),
        ("InternalFailureException", 500),
        ("ServiceUnavailableException", 503),
    ],
)
def test_the_errors_of_the_service(tmp_path, name, status):
    # No request provokes these of a service that is well: the gateway injects them when it is asked to.
    with (
        gateway(tmp_path, authorizer="plain", provisioned=0, faults={"errors": {name: 1.0}}) as address,
        client_of(address) as iot,
    ):
        with pytest.raises(getattr(iot.exceptions, name)) as caught:
            iot.test_invoke_authorizer(authorizerName="plain", mqttContext={"clientId": "c"})
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_the_rate_of_the_api_throttles_unmodified_clients(tmp_path):
    with (
        gateway(tmp_path, authorizer="plain", calls_per_second=0.01, burst=1) as address,
        client_of(address) as iot,
    ):
        iot.test_invoke_authorizer(authorizerName="plain", mqttContext={"clientId": "c"})
        with pytest.raises(iot.exceptions.ThrottlingException, match="Rate exceeded"):
            iot.test_invoke_authorizer(authorizerName="plain", mqttContext={"clientId": "c"})


def test_the_command_line_of_aws(url, iot, tmp_path):
    iot.create_authorizer(authorizerName="cli", authorizerFunctionArn=ARN, signingDisabled=True)
    aws = Path(sys.executable).parent / "aws"
    environment = {**os.environ, **CREDENTIALS, "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_PAGER": ""}
    command = [str(aws), "--endpoint-url", url, "iot", "test-invoke-authorizer", "--authorizer-name", "cli"]
    arguments = ["--mqtt-context", "username=u,password=dGVzdA==,clientId=c", "--output", "json"]
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["principalId"] == "device1"
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "An error occurred (InvalidRequestException)" in refused.stderr
