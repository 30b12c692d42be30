"""Exit codes of other commands than `gatecrash run`, by the real commands, where no other test reaches them."""

import signal
import socket
import time
from contextlib import contextmanager
from functools import partial

import pytest

from tests.end_to_end.command import HANDLERS, PASSWORDS, gatecrash, side_by_side, start, wait_until

CORRECT = ("--handler", HANDLERS / "correct.py", *PASSWORDS)
SEARCH = (
    *("capacity", *PASSWORDS, "--target", "scripted", "--cases", "20", "--latency", "1"),
    *("--start-rate", "50", "--max-rate", "50"),
    *("--set", "capacity.probe_seconds=3", "--set", "capacity.warm_up=0.5", "--set", "corpus.valid_share=0.5"),
)
THROTTLES = ("--set", "target.script={throttle_rate=1.0}")
FUZZ = ("fuzz", *CORRECT, "--gateway-seconds", "0", "--drawn")
SLOW_TO_IMPORT = """
import pathlib, time

pathlib.Path(__file__).with_name("begun").touch()
time.sleep(60)


def handler(event, context):
    return {}
"""


def ended(*arguments):
    """Return what runs a command to its end in a folder, and returns its exit code and output."""

    def run(folder):
        done = gatecrash(folder, *arguments)
        return done.returncode, done.stdout + done.stderr

    return run


@contextmanager
def running(folder, *arguments):
    """Start a command, which is killed in the end where it still runs."""
    with start(folder, *arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def after_a_signal(process, number):
    """Send a command a signal; returns its exit code and what it still says."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def stopped(number, word, *arguments):
    """Return what sends a command a signal a second after it said a word."""

    def run(folder):
        with running(folder, *arguments) as process:
            seen, line = "", "begins"
            while word not in seen and line:
                line = process.stdout.readline()
                seen += line
            time.sleep(1)
            code, rest = after_a_signal(process, number)
            return code, seen + rest

    return run


def ended_before_it_served(number, folder):
    (folder / "slow.py").write_text(SLOW_TO_IMPORT)
    with running(folder, "serve", "--handler", "slow.py", "--port", "0") as process:
        wait_until((folder / "begun").exists)
        code, output = after_a_signal(process, number)
    assert "Serving" not in output
    return code, output


def waiting_worker(number, folder):
    # A master that never says anything.
    with socket.create_server(("127.0.0.1", 0)) as master:
        master.settimeout(120)
        with running(folder, "worker", "--port", master.getsockname()[1], *PASSWORDS) as process:
            connection, _ = master.accept()
            with connection:
                return after_a_signal(process, number)


REACHED_HERE = {
    ("capacity", 3): ended(*SEARCH),
    ("capacity", 4): ended(*SEARCH, *THROTTLES),
    ("capacity", 130): stopped(signal.SIGINT, "Searching", *SEARCH),
    ("capacity", 143): stopped(signal.SIGTERM, "Searching", *SEARCH),
    ("fuzz", 1): ended(*FUZZ, "10", "--seconds", "2", "--threshold", "exchanges < 1"),
    ("fuzz", 143): stopped(signal.SIGTERM, "  sequential", *FUZZ, "2000", "--seconds", "60"),
    ("serve", 130): partial(ended_before_it_served, signal.SIGINT),
    ("serve", 143): partial(ended_before_it_served, signal.SIGTERM),
    ("worker", 130): partial(waiting_worker, signal.SIGINT),
    ("worker", 143): partial(waiting_worker, signal.SIGTERM),
    ("explain", 0): ended("explain", "GC101"),
    ("init", 0): ended("init"),
    ("doctor", 0): ended("doctor", *CORRECT),
    ("doctor", 2): ended("doctor", "--handler", "nowhere.py:handler", *PASSWORDS),
}


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    jobs = (partial(reach, tmp_path_factory.mktemp("command")) for reach in REACHED_HERE.values())
    return dict(zip(REACHED_HERE, side_by_side(*jobs, at_once=4), strict=True))


@pytest.mark.parametrize(("command", "code"), list(REACHED_HERE), ids=str)
def test_a_command_ends_with_its_exit_code(endings, command, code):
    found, output = endings[command, code]
    assert found == code, output
    assert "Traceback" not in output
