"""From plain settings to a target."""

import subprocess
import sys

import pytest

from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext, Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.samples import sample_path
from gatecrash.authorizers.targets.aws_clients import IotApiSettings
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.authorizers.targets.handler import HandlerTarget
from gatecrash.authorizers.targets.iot_api import IotApiTarget
from gatecrash.authorizers.targets.opening import open_target


def test_a_scripted_target_is_opened_by_its_kind():
    target = open_target({"kind": "scripted", "throttle_rate": 1.0, "latency": 0.0}, connections=1)
    assert target.invoke(AuthorizerRequest()).outcome is Outcome.THROTTLED


def test_a_handler_target_is_opened_by_its_kind():
    path = str(sample_path("jwt_authorizer.py"))
    target = open_target({"kind": "handler", "handler": path}, connections=1)
    assert isinstance(target, HandlerTarget)
    assert target.invoke(AuthorizerRequest(mqtt_context=MqttContext(client_id="a"))).outcome is Outcome.DENY


def test_an_iot_api_target_is_opened_by_its_kind_with_a_pool_as_large_as_the_users():
    settings = {"kind": "iot_api", "authorizer_name": "mine", "endpoint_url": "http://localhost:1"}
    target = open_target(settings, connections=37)
    assert isinstance(target, IotApiTarget)
    assert target._client.meta.region_name == "us-east-1"
    assert target._client.meta.config.max_pool_connections == 37
    target.close()


@pytest.mark.parametrize("kind", ["mqtt", None, ""])
def test_a_kind_that_there_is_not_is_told_with_those_there_are(kind):
    with pytest.raises(
        UsageError, match="it may be iot_api, iot_wire, lambda_function, lambda_wire, handler, scripted"
    ):
        open_target({"kind": kind}, connections=1)


def test_opening_a_scripted_target_imports_no_boto3():
    code = (
        "import sys; from gatecrash.authorizers.targets.opening import open_target; "
        "open_target({'kind': 'scripted'}, connections=1); sys.exit('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_profile_that_is_unknown_is_a_usage_error(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(UsageError, match="no-such-profile"):
        IotApiTarget(IotApiSettings("mine", profile="no-such-profile"))


def test_a_region_that_is_missing_is_a_usage_error(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="region"):
        IotApiTarget(IotApiSettings("mine"))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        *[("http://127.0.0.1:8080", True), ("http://localhost:1", True), ("http://[::1]:1", True)],
        *[("https://iot.us-east-1.amazonaws.com", False), ("http://10.0.0.1", False), (None, False), ("", False)],
        ("http://localhost.example.com", False),
    ],
)
def test_only_the_loopback_interface_is_this_machine(url, local):
    assert is_on_this_machine(url) is local
