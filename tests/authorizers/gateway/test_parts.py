"""The parts that need no gateway: the token bucket, faults, signatures, functions, settings."""

from __future__ import annotations

import asyncio
import base64
import socket
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatecrash.authorizers.errors import HandlerError, UsageError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.gateway.faults import Faults, FaultSettings
from gatecrash.authorizers.gateway.functions import command_function, parse_handler
from gatecrash.authorizers.gateway.gateway import start
from gatecrash.authorizers.gateway.quotas import TokenBucket
from gatecrash.authorizers.gateway.settings import AuthorizerSettings, GatewaySettings, settings_from_json
from gatecrash.authorizers.service.signatures import any_key_verifies


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my-authorizer.py"
    path.write_text("def handler(event, context): ...", encoding="utf-8")
    return path


def test_a_bucket_gives_its_burst_and_then_its_rate():
    bucket = TokenBucket(rate=10, burst=3, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.1), bucket.take(0.1)] == [True, False]
    assert [bucket.take(60.0) for _ in range(4)] == [True, True, True, False]
    # A clock that steps back gives nothing and takes nothing.
    assert not bucket.take(0.0)


def test_faults_have_their_shares():
    settings = FaultSettings(errors={"UnauthorizedException": 0.25}, latency=2.0, latency_rate=0.5, crash_rate=0.1)
    faults = Faults(settings)
    drawn = [faults.next() for _ in range(4000)]
    assert 0.2 < sum(fault.error is not None for fault in drawn) / 4000 < 0.3
    assert 0.45 < sum(fault.latency == 2.0 for fault in drawn) / 4000 < 0.55
    assert 0.07 < sum(fault.crash for fault in drawn) / 4000 < 0.13


@pytest.mark.parametrize(
    "wrong",
    [
        {"errors": {"NoSuchException": 0.1}},
        {"errors": {"ThrottlingException": 1.5}},
        {"crash_rate": -1},
        {"latency": -1},
    ],
)
def test_faults_that_are_none(wrong):
    with pytest.raises(UsageError):
        FaultSettings(**wrong)


def test_any_of_the_keys_verifies():
    one, two = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    pems = [
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for key in (one, two)
    ]
    raw = two.sign("tokén".encode(), PKCS1v15(), SHA256())
    signature = base64.b64encode(raw).decode()
    assert any_key_verifies(pems, "tokén", signature)
    assert not any_key_verifies(pems[:1], "tokén", signature)
    assert not any_key_verifies(pems, "token", signature)
    assert not any_key_verifies([], "tokén", signature)
    assert not any_key_verifies(pems, "\ud800", signature)
    for spelling in (
        "",
        "é",
        signature[:-1] + "!",
        signature + "\n",
        base64.urlsafe_b64encode(b"\xff\xff\xff").decode(),
    ):
        assert not any_key_verifies(pems, "tokén", spelling)


def test_handlers_by_their_files(file):
    function = parse_handler(f"{file}:lambda_handler")
    assert function.command == (sys.executable, "-P", function.command[2], "my-authorizer.lambda_handler")
    assert (function.name, function.folder, function.handler) == (
        "my-authorizer",
        file.parent,
        "my-authorizer.lambda_handler",
    )
    assert parse_handler(str(file)).handler == "my-authorizer.handler"
    assert parse_handler(f"{file}:handler", name="other").name == "other"


def test_handlers_that_are_none(tmp_path, monkeypatch):
    (tmp_path / "a.rb").write_text("", encoding="utf-8")
    (tmp_path / "a.b.py").write_text("", encoding="utf-8")
    (tmp_path / "a.mjs").write_text("", encoding="utf-8")
    with pytest.raises(HandlerError, match=r"there is no file .*missing\.py; name it as"):
        parse_handler(f"{tmp_path}/missing.py:handler")
    with pytest.raises(HandlerError, match=r"a\.rb ends neither in \.py nor in"):
        parse_handler(f"{tmp_path}/a.rb:handler")
    with pytest.raises(HandlerError, match="rename the file"):
        parse_handler(f"{tmp_path}/a.b.py:handler")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HandlerError, match="no node on the PATH"):
        parse_handler(f"{tmp_path}/a.mjs:handler")
    with pytest.raises(HandlerError, match="there is no program nothing"):
        command_function("f", ["nothing"], tmp_path)
    with pytest.raises(HandlerError, match="there is no folder"):
        command_function("f", ["nothing"], tmp_path / "none")
    with pytest.raises(HandlerError, match="is empty"):
        command_function("f", [], tmp_path)


def test_settings_from_another_process(file):
    settings = settings_from_json(
        {
            "handler": f"{file}:handler",
            "command": None,
            "authorizer": "auth",
            "token_key_name": "T",
            "signing_keys": {},
            "dialect": "device",
            "faults": {"seed": 3},
            "timeout": 2,
        }
    )
    assert settings.authorizers == (AuthorizerSettings("auth", token_key_name="T"),)
    assert (settings.dialect, settings.faults, settings.timeout) == (Dialect.DEVICE, FaultSettings(seed=3), 2)
    command = settings_from_json({"command": [sys.executable, "x.py"], "folder": str(file.parent)})
    assert command.functions[0].command == (sys.executable, "x.py")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"handler": None}, "neither a handler nor a command"),
        ({"prot": 1}, "no setting prot; there are"),
        ({"dialect": "x"}, "it must be test_invoke or device"),
        ({"timeout": 6}, "timeout is 6; it must be between"),
        ({"concurrency": 0}, "concurrency is 0; it must be between 1 and 1000"),
        ({"port": 70000}, "port is 70000"),
        ({"calls_per_second": 0}, "calls_per_second is 0"),
        ({"faults": 3}, "where an object must be"),
        ({"authorizer": "a", "signing_keys": {"k": "no key"}}, "authorizer a: "),
    ],
)
def test_settings_that_are_wrong(file, changes, words):
    async def run() -> None:
        await (await start(settings_from_json({"handler": str(file), "provisioned": 0} | changes))).close()

    with pytest.raises(UsageError, match=words):
        asyncio.run(run())


def test_two_functions_of_one_name(file):
    with pytest.raises(UsageError, match="two functions have the same name"):
        GatewaySettings([parse_handler(str(file))] * 2)


def test_a_port_in_use(file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as caught:
            asyncio.run(start(GatewaySettings([parse_handler(str(file))], port=port, provisioned=0)))
    assert str(caught.value) == f"127.0.0.1:{port} is in use; choose another port with --port, or 0 for a free one"
