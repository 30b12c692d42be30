"""The gateway as a process: its one line of answer, its signals, its end with the process that wanted it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.authorizers.gateway.serving import handler

PARENT = """
import subprocess, sys, time
gateway = subprocess.Popen([sys.executable, "-m", "gatecrash.authorizers.gateway"], stdin=subprocess.PIPE)
gateway.stdin.write(sys.argv[1].encode() + b"\\n")
gateway.stdin.flush()
print(gateway.pid, flush=True)
time.sleep(60)
"""
SERVING = """
import json, sys
from gatecrash.authorizers.gateway.serving import serve_forever
from gatecrash.authorizers.gateway.settings import settings_from_json
serve_forever(settings_from_json(json.loads(sys.argv[1])), lambda url: print(url, flush=True))
"""


def settings(folder: Path, source: str = "def handler(event, context): ...", **more: object) -> str:
    made = handler(folder, source)
    return json.dumps(
        {"handler": f"{made.folder}/authorizer.py:handler", "authorizer": "auth", "provisioned": 1, **more}
    )


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def refuses(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) != 0


def test_it_ends_with_the_process_that_started_it(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, settings(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        lines = parent.stdout.readline(), parent.stdout.readline()
        [url] = [json.loads(line)["url"] for line in lines if line.startswith("{")]
        port = int(url.rpartition(":")[2])
        assert not refuses(port)
        parent.kill()
        assert eventually(lambda: refuses(port))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_with_a_signal(tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, settings(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdout is not None
        assert serving.stderr is not None
        assert serving.stdout.readline().startswith("http://127.0.0.1:")
        serving.send_signal(number)
        assert serving.wait(5) == 0
        assert serving.stderr.read() == ""


def test_a_function_that_cannot_be_initialised_is_told(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, settings(tmp_path, "import no_such_module")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdout is not None
        assert serving.stderr is not None
        assert serving.stdout.readline().startswith("http://127.0.0.1:")
        serving.terminate()
        assert serving.wait(5) == 0
        told = serving.stderr.read()
    assert told.startswith("authorizer can't be initialised, every request will be answered so: Runtime.Import")
    assert "no_such_module" in told


@pytest.mark.parametrize(
    ("line", "words"),
    [("no JSON", "not JSON"), ("{}", "neither a handler nor a command"), ('{"handler": "no.py"}', "there is no file")],
)
def test_settings_that_are_wrong_are_one_line(line, words):
    done = subprocess.run(
        [sys.executable, "-m", "gatecrash.authorizers.gateway"],
        input=line + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in json.loads(done.stdout)["error"]
    assert done.stderr == ""


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "gatecrash.authorizers.gateway"],
            input=settings(tmp_path, port=port) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert f"127.0.0.1:{port} is in use" in json.loads(done.stdout)["error"]
