"""The locustfile by itself, as Locust's users know it."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from gatecrash.running.locust_process import locustfile
from tests.end_to_end.command import HANDLERS, PASSWORDS, SHORT, environment, gatecrash_in_process, wait_until
from tests.end_to_end.distributed import free_port

LOCUSTFILE = locustfile("steady")


def locust(*arguments):
    return [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *map(str, arguments)]


def two_workers():
    """Return options for two workers and a master at a port that nobody else has."""
    port = str(free_port())
    return ("--processes", "2", "--master-bind-port", port, "--master-port", port)


def no_worker():
    return ()


def plan(folder):
    path = folder / "plan.json"
    arguments = ("--handler", HANDLERS / "correct.py", *PASSWORDS, *SHORT, "--output", path)
    done = gatecrash_in_process(folder, "plan", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(path)
    return path


@pytest.mark.parametrize("more", [no_worker, two_workers], ids=["one process", "two workers"])
def test_headless_it_records_a_run_folder_that_renders(tmp_path, more):
    arguments = ("--headless", "--users", "10", "--spawn-rate", "10", "--plan", plan(tmp_path), *more())
    done = subprocess.run(
        locust(*arguments), cwd=tmp_path, env=environment(tmp_path), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    (stored,) = (tmp_path / "runs").iterdir()
    recording = json.loads((stored / "recording.json").read_text())
    assert recording["state"]["complete"] is True
    assert sum(recording["counts"]["outcomes"].values()) == 120
    rendered = gatecrash_in_process(tmp_path, "report", stored)
    # A busy machine may be late for the rate, which the report tells.
    assert rendered.returncode in {0, 4}, rendered.stdout
    assert "Findings: none" in rendered.stdout


@pytest.mark.parametrize("more", [no_worker, two_workers], ids=["one process", "two workers"])
def test_without_a_plan_it_tests_the_sample_authorizer(tmp_path, more):
    arguments = ("--headless", "--duration", "2", "--warm-up", "0.5", "--rate", "20", *more())
    done = subprocess.run(
        locust(*arguments), cwd=tmp_path, env=environment(tmp_path), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    (stored,) = (tmp_path / "runs").iterdir()
    assert json.loads((stored / "recording.json").read_text())["counts"]["outcomes"]["allow"] > 10
    # Nobody said how many users: they are the plan's.
    assert " 50 users" in done.stderr.decode() or '"FleetUser": 50' in done.stderr.decode()


def test_a_plan_that_is_not_there_is_one_sentence(tmp_path):
    done = subprocess.run(
        locust("--headless", "--plan", "nowhere.json"),
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "gatecrash: --plan: can't read nowhere.json: No such file or directory" in done.stderr


def test_with_the_web_page_each_start_is_a_run_of_its_own(tmp_path):
    port = free_port()
    arguments = ("--web-port", port, "--plan", plan(tmp_path))
    process = subprocess.Popen(
        locust(*arguments), cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        wait_until(lambda: _answers(port), 60)
        listening = {one.laddr.ip for one in psutil.Process(process.pid).net_connections() if one.status == "LISTEN"}
        assert listening == {"127.0.0.1"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            form = page.read().decode()
        assert '"num_users": 50' in form
        assert '"spawn_rate": 50' in form
        for number in (1, 2):
            body = b"user_count=5&spawn_rate=5&duration=1&warm_up=0&rate=20&model=open"
            urllib.request.urlopen(f"http://127.0.0.1:{port}/swarm", body, timeout=10).close()
            wait_until(lambda wanted=number: _complete(tmp_path) == wanted, 60)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _complete(folder):
    recordings = [json.loads(path.read_text()) for path in (folder / "runs").glob("*/recording.json")]
    return sum(recording["state"]["complete"] for recording in recordings)


def _answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_the_environment_of_these_tests_lets_locust_patch():
    assert "LOCUST_SKIP_MONKEY_PATCH" in os.environ
    assert not any(name.startswith("LOCUST_") for name in environment(Path("/tmp")))
