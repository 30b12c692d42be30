"""Running the real command as a person would."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatecrash.app import app

HERE = Path(__file__).resolve().parent
DEVICES = HERE / "devices.jsonl"
HANDLERS = HERE / "handlers"
SHORT = ("--duration", "2", "--warm-up", "1", "--rate", "60", "--cases", "20")
PASSWORDS = ("--credentials", "password", "--table", str(DEVICES))


# Read once: commands are started in threads, while this process's own environment changes from test to test.
KEPT = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "AWS_"))}


def environment(folder):
    """Return an environment with a home of its own and nothing of this process's settings for Locust."""
    return {**KEPT, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "120"}


def command(*arguments):
    return [sys.executable, "-m", "gatecrash", *map(str, arguments)]


def gatecrash(folder, *arguments, timeout=300, **options):
    """Run a command line in a folder to its end; returns the finished process with its output as text."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )


def gatecrash_in_process(folder, *arguments):
    """Do the same without a process of its own, whose start is most of what a short command takes.

    For commands that start no Locust; not in threads, since the folder and the output are the whole process's.
    """
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("HOME", "XDG_CACHE_HOME", "COLUMNS"):
            patch.setenv(name, environment(folder)[name])
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = app([*map(str, arguments)])
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())


def start(folder, *arguments):
    """Start a command line in a folder."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def side_by_side(*jobs, at_once=None):
    """Run jobs at the same time and return what each returned: a run at a low rate waits most of its time."""
    with ThreadPoolExecutor(at_once or len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def run_folder(folder):
    """Return the only run folder below a folder."""
    (found,) = (folder / "runs").iterdir()
    return found


def statistics(folder):
    return json.loads((run_folder(folder) / "stats.json").read_text())


def wait_until(condition, seconds=60.0):
    """Wait for a condition and return its value; fails when it doesn't come true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it didn't happen in time")
