"""The wire client's way to AWS: encrypted, with the authorities that boto3 trusts, and with temporary credentials."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext, Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.aws_clients import IotApiSettings
from gatecrash.authorizers.targets.iot_api import IotApiTarget
from gatecrash.authorizers.targets.iot_wire import IotWireTarget
from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings, LambdaFunctionTarget
from gatecrash.authorizers.targets.lambda_wire import LambdaWireTarget
from tests.authorizers.targets.certificates import Authority
from tests.authorizers.targets.raw_server import RawServer, parts_of
from tests.authorizers.targets.test_iot_wire import WHOLE

REQUEST = AuthorizerRequest(mqtt_context=MqttContext("user", b"a secret", "device-1"))
# An address of this machine that isn't on its loopback interface: there credentials are the person's, as for AWS.
NOT_LOOPBACK = "0.0.0.0"
PROFILE = "temporary"
SECRET = "what the credential process printed"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "trusted")


@pytest.fixture(scope="module")
def server(authority):
    opened = RawServer(authority.context_for("127.0.0.1", NOT_LOOPBACK))
    opened.answer = lambda _: WHOLE
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _nobodys_configuration(tmp_path, monkeypatch):
    for name in os.environ:
        if name.startswith("AWS_") or name == "REQUESTS_CA_BUNDLE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def at_iot(url, profile=None):
    chosen = IotApiSettings("mine", region="eu-west-1", endpoint_url=url, profile=profile)
    return IotApiTarget(chosen), IotWireTarget(chosen, timeout=2.0)


def at_lambda(url, profile=None):
    chosen = LambdaFunctionSettings("mine", region="eu-west-1", endpoint_url=url, profile=profile)
    return LambdaFunctionTarget(chosen), LambdaWireTarget(chosen, timeout=2.0)


def answers_of(targets, times=1):
    """Fire at both; returns what boto3 and what the wire client got."""
    try:
        return [[target.invoke(REQUEST) for _ in range(times)] for target in targets]
    finally:
        for target in targets:
            target.close()


def bundle_by_variable(name):
    return lambda _, monkeypatch, path: monkeypatch.setenv(name, str(path))


def bundle_in_configuration(folder, _, path):
    (folder / "config").write_text(f"[default]\nca_bundle = {path}\n")


BUNDLES = {
    "AWS_CA_BUNDLE": bundle_by_variable("AWS_CA_BUNDLE"),
    "REQUESTS_CA_BUNDLE": bundle_by_variable("REQUESTS_CA_BUNDLE"),
    "ca_bundle": bundle_in_configuration,
}


@pytest.mark.parametrize("clients", [at_iot, at_lambda])
@pytest.mark.parametrize("said", BUNDLES)
def test_both_clients_trust_the_authorities_that_are_named(server, authority, clients, said, tmp_path, monkeypatch):
    BUNDLES[said](tmp_path, monkeypatch, authority.path)
    by_boto3, by_wire = answers_of(clients(server.url), times=3)
    assert by_wire == by_boto3
    assert {answer.outcome for answer in by_wire} == {Outcome.ALLOW}


def refused(url):
    (by_boto3,), (by_wire,) = answers_of(at_iot(url))
    assert by_wire == by_boto3
    assert (by_wire.outcome, by_wire.fault.code) == (Outcome.TRANSPORT_ERROR, "SSLError")
    assert "secret" not in str(by_wire)


def test_both_clients_refuse_an_unknown_authority(server, tmp_path, monkeypatch):
    server.received.clear()
    refused(server.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path, "another").path))
    refused(server.url)
    assert server.received == []


@pytest.mark.parametrize(
    "shown",
    [
        {"hosts": ["127.0.0.2", "localhost.example"]},
        {"hosts": ["localhost"], "ends": timedelta(minutes=-1)},
    ],
    ids=["of another host", "expired"],
)
def test_both_clients_refuse_a_certificate(authority, shown, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    hosts = shown.pop("hosts")
    other = RawServer(authority.context_for(*hosts, **shown))
    refused(f"https://localhost:{other.port}")
    assert other.received == []
    other.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_can_not_be_read_are_refused_at_once(content, tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(UsageError, match=r"AWS_CA_BUNDLE.*can't read .*bundle\.pem"):
        at_iot("https://127.0.0.1:9")


def test_an_encrypted_connection_serves_many_requests_and_a_closed_one_is_replaced(authority, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    own = RawServer(authority.context_for("127.0.0.1"))
    own.answer = lambda _: WHOLE
    target = at_iot(own.url)[1]
    assert {target.invoke(REQUEST).outcome for _ in range(20)} == {Outcome.ALLOW}
    assert own.connections == 1
    own.keep_open = False
    assert target.invoke(REQUEST).outcome is Outcome.ALLOW
    time.sleep(0.7)  # Younger connections are taken without asking.
    assert target.invoke(REQUEST).outcome is Outcome.ALLOW
    assert own.connections == 2
    target.close()
    own.close()


GREENLETS = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent, sys
from tests.authorizers.targets.test_wire_to_aws import PROFILE, REQUEST, at_iot

target = at_iot(sys.argv[1], PROFILE)[1]
jobs = [gevent.spawn(target.invoke, REQUEST) for _ in range(20)]
gevent.joinall(jobs, timeout=60, raise_error=True)
print(*(job.value.outcome for job in jobs))
"""


def by_greenlets(url):
    """Fire twenty requests at the same time in a process whose sockets are gevent's, as a worker's are."""
    command = [sys.executable, "-c", GREENLETS, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


def test_greenlets_are_answered_over_encrypted_connections(server, authority, process, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    server.received.clear()
    assert by_greenlets(at_person(server)) == ["allow"] * 20
    assert len(server.received) == 20


def test_greenlets_don_t_wait_for_a_server_that_says_nothing(authority, process, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    silent = RawServer(authority.context_for(NOT_LOOPBACK))
    silent.answer = lambda _: time.sleep(30)
    assert by_greenlets(at_person(silent)) == ["transport_error"] * 20
    silent.close()


def test_a_server_that_says_nothing_over_an_encrypted_connection_times_out(authority, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    silent = RawServer(authority.context_for("127.0.0.1"))
    silent.answer = lambda _: time.sleep(30)
    target = at_iot(silent.url)[1]
    assert target.invoke(REQUEST).fault.code == "ReadTimeoutError"
    target.close()
    silent.close()


class Process:
    """A credential process, whose credentials have a number of their own each time and live for ``lives`` seconds."""

    SOURCE = """
import json, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
with (folder / "asked").open("a") as asked:
    asked.write("x")
number = len((folder / "asked").read_text())
text = (folder / "lives").read_text()
if text == "fails":
    sys.exit(sys.argv[2])
ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + float(text)))
print(json.dumps({"Version": 1, "AccessKeyId": f"AKID{number}", "SecretAccessKey": f"key {number}",
                  "SessionToken": f"token{number}", "Expiration": ends}))
"""

    def __init__(self, folder):
        self._folder = folder
        script = folder / "process.py"
        script.write_text(self.SOURCE)
        command = f'{sys.executable} -S -E {script} {folder} "{SECRET}"'
        (folder / "config").write_text(f"[profile {PROFILE}]\ncredential_process = {command}\n")
        self.lives(3600)

    def lives(self, seconds):
        (self._folder / "lives").write_text(str(seconds))

    @property
    def asked(self):
        return len((self._folder / "asked").read_text())


@pytest.fixture
def process(tmp_path):
    return Process(tmp_path)


def at_person(server):
    return server.url.replace("127.0.0.1", NOT_LOOPBACK)


def token_of(raw):
    """Return the number of the credentials that a request was signed with, after the signature was verified."""
    line, headers, body = parts_of(raw)
    number = headers["x-amz-security-token"].removeprefix("token")
    request = AWSRequest("POST", f"https://{headers['host']}{line.split()[1]}", data=body)
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    for name in signed:
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(f"AKID{number}", f"key {number}", f"token{number}"), "iot", "eu-west-1")
    text = signer.canonical_request(request)
    assert f"Credential=AKID{number}/" in headers["authorization"]
    assert headers["authorization"].endswith(
        f"Signature={signer.signature(signer.string_to_sign(request, text), request)}"
    )
    return int(number)


@pytest.mark.parametrize("place", [0, 1], ids=["boto3", "wire"])
def test_temporary_credentials_are_refreshed_before_they_expire(server, authority, process, place, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    # botocore asks again within ten minutes of their end.
    process.lives(300)
    targets = at_iot(at_person(server), PROFILE)
    server.received.clear()
    assert {targets[place].invoke(REQUEST).outcome for _ in range(3)} == {Outcome.ALLOW}
    process.lives(3600)
    assert {targets[place].invoke(REQUEST).outcome for _ in range(3)} == {Outcome.ALLOW}
    first, second, third, *others = map(token_of, server.received)
    assert first < second < third < others[0]
    assert others == [process.asked] * 3
    for target in targets:
        target.close()


@pytest.mark.parametrize("lives", ["fails", -60, "no number"])
def test_credentials_that_can_not_be_refreshed_are_told_alike_and_nothing_is_sent(
    server, authority, process, lives, monkeypatch, caplog
):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.path))
    process.lives(300)
    for clients in (at_iot, at_lambda):
        targets = clients(at_person(server), PROFILE)
        server.received.clear()
        process.lives(lives)
        (by_boto3,), (by_wire,) = answers_of(targets)
        process.lives(300)
        assert by_wire == by_boto3
        assert by_wire.outcome is Outcome.TRANSPORT_ERROR
        assert not any(word in json.dumps(str(by_wire)) for word in ("secret", SECRET, "key 1"))
        assert server.received == []
    assert SECRET not in caplog.text


@pytest.mark.parametrize("lives", ["fails", -60])
def test_credentials_that_can_not_be_had_are_refused_at_once(process, lives):
    process.lives(lives)
    with pytest.raises(UsageError, match=r"can't make a client for AWS IoT|there are no AWS credentials"):
        at_iot(f"https://{NOT_LOOPBACK}:9", PROFILE)


def test_a_credential_process_that_is_not_there_is_refused_at_once(tmp_path):
    (tmp_path / "config").write_text(f"[profile {PROFILE}]\ncredential_process = {tmp_path}/nothing\n")
    with pytest.raises(UsageError, match="nothing"):
        at_iot(f"https://{NOT_LOOPBACK}:9", PROFILE)
