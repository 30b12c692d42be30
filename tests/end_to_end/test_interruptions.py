"""A run that is cut short still ends with a report of what was recorded, the right exit code and validity."""

import json
import os
import signal

import psutil
import pytest

from tests.end_to_end.command import (
    HANDLERS,
    PASSWORDS,
    gatecrash_in_process,
    run_folder,
    start,
    statistics,
    wait_until,
)

LONG = ("--duration", "60", "--warm-up", "1", "--rate", "40", "--cases", "20")


def begin(folder, *arguments):
    """Start a long run and wait until something of it was recorded."""
    process = start(folder, "run", "--handler", HANDLERS / "correct.py", *PASSWORDS, *LONG, *arguments)

    def recorded():
        runs = list((folder / "runs").glob("*/recording.json"))
        return runs and json.loads(runs[0].read_text())["counts"]["outcomes"]

    wait_until(recorded, 60)
    return process


def children(process, text):
    """Return the descendants of a process whose command line holds a text."""
    return [
        child for child in psutil.Process(process.pid).children(recursive=True) if text in " ".join(child.cmdline())
    ]


def nothing_left(descendants):
    return all(not child.is_running() or child.status() == psutil.STATUS_ZOMBIE for child in descendants)


def end(process, seconds=60):
    output, _ = process.communicate(timeout=seconds)
    return output


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_in_order_whatever_else_is_wrong_and_the_report_says_so_again(tmp_path, number, code):
    process = begin(tmp_path, "--handler", HANDLERS / "opens.py", "--threshold", "exchanges < 1")
    descendants = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    output = end(process)
    assert process.returncode == code, output
    found, name = statistics(tmp_path), signal.Signals(number).name
    # A machine that is too busy besides makes it invalid.
    assert found["validity"]["word"] in {"degraded", "invalid"}
    assert any(f"the run was stopped early by {name} after" in reason for reason in found["validity"]["reasons"])
    assert found["state"]["stopped_by"] == name
    assert found["exchanges"] > 0
    assert (run_folder(tmp_path) / "report.html").exists()
    assert "Traceback" not in output
    wait_until(lambda: nothing_left(descendants))
    assert found["verdict"]["exit_code"] == code
    assert any(one["standing"] == "failed" for one in found["thresholds"])
    assert any(one["rule"] == "GC101" for one in found["findings"])
    assert gatecrash_in_process(tmp_path, "report", run_folder(tmp_path)).returncode == code


def test_a_killed_gateway_makes_the_measurement_invalid(tmp_path):
    process = begin(tmp_path)
    (gateway,) = children(process, "gatecrash.authorizers.gateway")
    environments = gateway.children(recursive=True)
    gateway.kill()
    output = end(process)
    assert process.returncode == 4, output
    found = statistics(tmp_path)
    assert found["validity"]["word"] == "invalid"
    assert "the end of the gateway (killed by SIGKILL)" in output
    assert found["outcomes"].get("allow", 0) > 0
    assert "Traceback" not in output
    wait_until(lambda: nothing_left(environments))


def test_a_killed_worker_is_never_a_green_run(tmp_path):
    process = begin(tmp_path, "--processes", "2", "--duration", "12")
    locusts = children(process, "-m locust")
    master = min(locusts, key=lambda one: one.create_time())
    workers = [one for one in locusts if one.ppid() == master.pid]
    assert len(workers) == 2
    workers[0].kill()
    output = end(process, 90)
    assert process.returncode == 4, output
    found = statistics(tmp_path)
    assert found["validity"]["word"] == "invalid"
    assert "1 of 2 workers were lost" in output
    assert f"process {workers[0].pid}) was lost, last heard in second" in output
    assert found["exchanges"] > 0


def test_a_killed_locust_leaves_what_its_last_checkpoint_holds(tmp_path):
    process = begin(tmp_path)
    (locust,) = children(process, "-m locust")
    locust.kill()
    output = end(process)
    assert process.returncode == 4, output
    assert statistics(tmp_path)["exchanges"] > 0
    assert "the run was cut off" in output


def test_a_killed_command_leaves_a_folder_that_renders_and_no_process(tmp_path):
    process = begin(tmp_path)
    descendants = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    end(process)
    wait_until(lambda: nothing_left(descendants), 20)
    done = gatecrash_in_process(tmp_path, "report", run_folder(tmp_path))
    assert done.returncode == 4, done.stdout + done.stderr
    assert statistics(tmp_path)["exchanges"] > 0


def test_a_run_folder_that_can_not_be_written_any_more_ends_the_run(tmp_path):
    process = begin(tmp_path)
    descendants = psutil.Process(process.pid).children(recursive=True)
    folder = run_folder(tmp_path)
    folder.rename(tmp_path / "elsewhere")
    output = end(process)
    assert process.returncode == 2, output
    assert f"gatecrash: the run folder {folder.relative_to(tmp_path)} is gone: nothing of this run was kept" in output
    assert "Traceback" not in output
    wait_until(lambda: nothing_left(descendants))
