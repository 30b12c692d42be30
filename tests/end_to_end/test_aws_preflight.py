"""What a person is shown and asked before the first request leaves this machine.

The gateway stands in for AWS under a name that is not of this machine, which resolves to it in this process only.
"""

import io
import socket

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gatecrash.app import app
from gatecrash.authorizers.targets.local import LocalGateway
from tests.end_to_end.command import DEVICES, HANDLERS, PASSWORDS, SHORT, gatecrash

NAME = "iot.eu-west-1.gateway.example"


@pytest.fixture
def endpoint(monkeypatch, tmp_path):
    gateway = LocalGateway(
        {
            "handler": f"{HANDLERS / 'correct.py'}:handler",
            "authorizer": "fleet",
            "provisioned": 0,
            "port": 0,
            # Beside it what a busy machine adds is little.
            "faults": {"latency": 0.2},
        }
    )
    resolve = socket.getaddrinfo

    def here(host, *arguments, **options):
        return resolve("127.0.0.1" if host == NAME else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "an-id",
        "AWS_SECRET_ACCESS_KEY": "a-made-up-secret-key",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_SERVICE_QUOTAS": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    yield gateway.url.replace("127.0.0.1", NAME)
    gateway.close()


def fire(endpoint, *arguments):
    target = ("--target", "iot", "--endpoint-url", endpoint, "--region", "eu-west-1", "--authorizer", "fleet")
    return app(["run", *target, "--credentials", "password", "--table", str(DEVICES), *arguments])


class Terminal(io.StringIO):
    """A person at a terminal who types what is given."""

    def isatty(self):
        return True


@pytest.fixture
def answers_no(monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))


@pytest.mark.usefixtures("answers_no")
def test_it_shows_what_will_happen_and_fires_nothing_without_a_yes(endpoint, capsys, tmp_path):
    assert fire(endpoint, "--rate", "8", "--duration", "10", "--warm-up", "0") == 2
    shown = capsys.readouterr()
    assert "Region      eu-west-1" in shown.out
    assert "Authorizer  fleet, ACTIVE, signing disabled" in shown.out
    assert "80 of TestInvokeAuthorizer" in shown.out
    assert "US dollars" in shown.out
    assert "Beware" not in shown.out
    assert "not fired" in shown.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("answers_no")
def test_a_rate_above_the_quota_is_pointed_out(endpoint, capsys):
    assert fire(endpoint, "--rate", "50") == 2
    assert "50 arrivals/s are above the account's quota of 10 calls/s" in capsys.readouterr().out


@pytest.mark.usefixtures("answers_no")
def test_the_closed_model_plans_users_not_calls(endpoint, capsys):
    assert fire(endpoint, "--model", "closed", "--users", "3", "--duration", "10", "--warm-up", "0") == 2
    assert "as many as 3 users make in 10 s of TestInvokeAuthorizer" in capsys.readouterr().out


@pytest.mark.usefixtures("answers_no")
def test_the_secret_key_is_not_shown(endpoint, capsys):
    fire(endpoint)
    shown = capsys.readouterr()
    assert "a-made-up-secret-key" not in shown.out + shown.err


def test_without_a_terminal_nothing_is_fired(endpoint, capsys):
    assert fire(endpoint) == 2
    assert "there is no terminal to ask at; --yes answers" in capsys.readouterr().err


def test_signed_tokens_for_an_authorizer_without_signing_are_refused(endpoint, capsys, tmp_path):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(pem)
    assert fire(endpoint, "--credentials", "signed", "--private-key", str(tmp_path / "key.pem")) == 2
    assert "the authorizer fleet has signing disabled and would reject each" in capsys.readouterr().err


def test_an_endpoint_on_this_machine_is_fired_at_without_a_question(endpoint, tmp_path):
    local = ("--target", "iot", "--endpoint-url", endpoint.replace(NAME, "127.0.0.1"), "--authorizer", "fleet")
    # Without a schedule little is late on a busy machine.
    done = gatecrash(tmp_path, "run", *local, *PASSWORDS, *SHORT, "--model", "closed", "--users", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("runs/*/report.html"))) == 1
