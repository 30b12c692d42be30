"""`--target lambda` as a person uses it: a gateway for Lambda, real Locust, and what is asked before AWS is reached."""

import io
import json
import re
import socket

import pytest

from gatecrash.app import app
from gatecrash.authorizers.targets.local import LocalGateway
from tests.end_to_end.command import HANDLERS, PASSWORDS, gatecrash, run_folder, statistics

NAME = "lambda.eu-west-1.gateway.example"


@pytest.fixture(scope="module")
def url():
    # Beside such a latency what a busy machine adds is little.
    faults = {"latency": 0.2}
    handler = f"{HANDLERS / 'correct.py'}:handler"
    gateway = LocalGateway({"handler": handler, "authorizer": "any", "provisioned": 2, "faults": faults})
    yield gateway.url
    gateway.close()


@pytest.mark.parametrize(("more", "client"), [((), "wire"), (("--client", "boto3"), "boto3")])
def test_a_run_invokes_the_function_and_passes(tmp_path, url, more, client):
    target = ("--target", "lambda", "--function", "correct", "--endpoint-url", url, "--set", "target.log_tail=true")
    # Without a schedule little is late on a busy machine.
    load = ("--duration", "1", "--warm-up", "0.5", "--model", "closed", "--users", "8", "--cases", "20")
    done = gatecrash(tmp_path, "run", *target, *PASSWORDS, *load, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "at correct (lambda:" in done.stdout
    found = statistics(tmp_path)
    assert found["exchanges"] > 0
    assert set(found["outcomes"]) == {"allow", "deny"}
    assert json.loads((run_folder(tmp_path) / "run.json").read_text())["target"] == {
        "kind": "lambda",
        "authorizer": "authorizer",
        "client": client,
        "function": "correct",
        "dialect": "test_invoke",
        "region": None,
        "endpoint": url,
    }


@pytest.fixture
def endpoint(url, monkeypatch, tmp_path):
    """The gateway under a name that is not of this machine, which resolves to it in this process only."""
    resolve = socket.getaddrinfo

    def here(host, *arguments, **options):
        return resolve("127.0.0.1" if host == NAME else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "an-id",
        "AWS_SECRET_ACCESS_KEY": "a-made-up-secret-key",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return url.replace("127.0.0.1", NAME)


def fire(endpoint, *arguments):
    target = ("--target", "lambda", "--function", "correct", "--endpoint-url", endpoint, "--region", "eu-west-1")
    return app(["run", *target, *PASSWORDS, *arguments])


class Terminal(io.StringIO):
    """A person at a terminal who types what is given."""

    def isatty(self):
        return True


def test_it_shows_what_will_happen_and_fires_nothing_without_a_yes(endpoint, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert fire(endpoint, "--rate", "500", "--duration", "10", "--warm-up", "0", "--users", "60") == 2
    shown = capsys.readouterr()
    assert "Function    correct" in shown.out
    assert "5000 of Lambda's Invoke, at most 60 at a time" in shown.out
    assert "US dollars" in shown.out
    assert "up to 60 of the account's 1000 concurrent executions (L-B99A9384)" in shown.out
    assert "not fired" in shown.err
    assert "a-made-up-secret-key" not in shown.out + shown.err
    assert not (tmp_path / "runs").exists()


def test_a_script_must_say_yes(endpoint, capsys):
    assert fire(endpoint) == 2
    assert "there is no terminal to ask at; --yes answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--region", "eu-wets-1"), "AWS Lambda has no such region; did you mean eu-west-1?"),
        (
            ("--handler", str(HANDLERS / "correct.py")),
            "--target (target.kind) is lambda, which fires at a deployed function",
        ),
        (("--function", "a b"), "can't ask AWS for the function a b in eu-west-1: ValidationException"),
        (("--target", "iot"), "target.function is set, but the target is iot: invoke a Lambda function with"),
        (("--target", "local", "--function", "x"), "target.endpoint_url is set, but the target is local"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(endpoint, capsys, arguments, sentence):
    assert fire(endpoint, *arguments) == 2
    assert sentence in capsys.readouterr().err


def test_what_is_wrong_on_this_machine_is_a_sentence_too(url, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    at = ("run", "--target", "lambda", *PASSWORDS, "--endpoint-url")
    for arguments, sentence in {
        (url,): "target.function is missing: name the authorizer's Lambda function with --function NAME or ARN",
        (url, "--function", "nobody"): "there is no function nobody in us-east-1: check --function and --region",
        (f"{url}/elsewhere", "--function", "correct"): "UnknownOperationException; lambda:InvokeFunction must be",
        ("http://127.0.0.1:9", "--function", "correct"): "can't reach http://127.0.0.1:9",
    }.items():
        assert app([*at, *arguments]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_doctor_says_whether_the_function_may_be_invoked(url, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    target = ("--target", "lambda", "--endpoint-url", url)
    assert app(["doctor", *target, *PASSWORDS, "--function", "correct"]) == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "function correct may be invoked" in shown
    assert "1000 in the account, shared by all its functions; 50 users take as many at most" in shown
    assert app(["doctor", *target, *PASSWORDS, "--function", "nobody"]) == 2
    assert "there is no function nobody" in re.sub(r"\s+", " ", capsys.readouterr().out)
