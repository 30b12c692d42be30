"""The authorizer's function by Lambda's own API, at the gateway in place of AWS."""

import json

import pytest

from tests.end_to_end.command import HANDLERS, PASSWORDS, SHORT, gatecrash, run_folder, start, statistics, wait_until


@pytest.fixture
def url(tmp_path):
    server = start(tmp_path, "serve", "--handler", HANDLERS / "correct.py", "--port", "0")
    yield wait_until(lambda: server.stdout.readline().rpartition(" at ")[2].strip())
    server.terminate()
    server.communicate(timeout=20)


def test_a_function_is_fired_at_and_judged(tmp_path, url):
    at_function = ("--target", "lambda", "--function", "correct", "--endpoint-url", url)
    done = gatecrash(tmp_path, "run", *at_function, *PASSWORDS, *SHORT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "at correct (lambda:" in done.stdout
    found = statistics(tmp_path)
    assert found["exchanges"] == 120
    info = json.loads((run_folder(tmp_path) / "run.json").read_text())
    assert (info["target"]["function"], info["target"]["client"]) == ("correct", "boto3")


def test_a_function_that_is_not_there_is_told_before_anything_is_fired(tmp_path, url):
    done = gatecrash(tmp_path, "run", "--target", "lambda", "--function", "nobody", "--endpoint-url", url, *PASSWORDS)
    assert done.returncode == 2
    assert "can't invoke the Lambda function nobody in us-east-1: ResourceNotFoundException" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_function_must_be_named(tmp_path):
    done = gatecrash(tmp_path, "run", "--target", "lambda", *PASSWORDS)
    assert done.returncode == 2
    assert "target.function is missing: name the authorizer's Lambda function with --function" in done.stderr
