"""`gatecrash fuzz` as a person runs it: at Python and Node.js handlers, at a service, and when things go wrong."""

import base64
import json
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from gatecrash.running.locust_process import locustfile
from tests.end_to_end.command import (
    DEVICES,
    HANDLERS,
    environment,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    start,
    statistics,
    wait_until,
)

LOCUSTFILE = locustfile("fuzz")
FAST = ("--drawn", "50", "--seconds", "5")
QUICKEST = (*FAST, "--gateway-seconds", "0")
PROFILE = ("--credentials", "password", "--table", "devices.jsonl")
CASES = "upper and lower case are the same"
COUNTING = """
import os, pathlib
from {name} import handler as right

COUNTED = os.open(pathlib.Path(__file__).parent / "counted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def handler(event, context):
    os.write(COUNTED, b".")
    return right(event, context)
"""
TELLING = """
import base64
from correct import handler as right


def handler(event, context):
    answer = right(event, context)
    if not answer["isAuthenticated"]:
        password = event["protocolData"]["mqtt"]["password"]
        raise ValueError(f"{event} {password} {base64.b64decode(password)}")
    return answer
"""


@pytest.fixture
def project(tmp_path):
    """A project with the handlers of these tests and their devices."""
    shutil.copytree(HANDLERS, tmp_path / "handlers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(DEVICES, tmp_path)
    return tmp_path


def fuzz(project, handler, *arguments):
    return gatecrash(project, "fuzz", "--handler", f"handlers/{handler}", *PROFILE, *arguments)


def findings(project):
    return [json.loads(path.read_text()) for path in sorted((run_folder(project) / "findings").iterdir())]


def causes(project):
    return [(finding["rule"], finding["cause"]) for finding in findings(project)]


def campaign(project):
    return json.loads((run_folder(project) / "campaign.json").read_text())


def test_without_arguments_the_sample_authorizer_is_found_to_be_right(tmp_path):
    """Whatever its settings ask of runs under load, which Locust's phases are not: they would fail all of it."""
    (tmp_path / "gatecrash.toml").write_text(
        '[thresholds]\nhold = ["latency.p95 < 1us", "achieved_rate > 95%"]\nfail_if = ["throttle_rate > 1%"]\n'
        'abort_if = ["latency.p50 > 1us"]\nabort_after = 0\n'
    )
    done = gatecrash(tmp_path, "fuzz", *FAST, "--gateway-seconds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    told = "Not judged, for this is no run under load: latency.p95 < 0.001ms, achieved_rate > 95%,"
    assert told in " ".join(done.stdout.split())
    assert "no wrong decision in" in done.stdout
    assert (run_folder(tmp_path) / "report.html").stat().st_size > 100_000


def test_a_defect_is_told_once_and_again_when_the_report_is_made_anew(project):
    done = fuzz(project, "ignores_case.py", *FAST, "--gateway-seconds", "3", "--processes", "2")
    assert done.returncode == 3, done.stdout + done.stderr
    assert causes(project) == [("GC101", CASES)]
    assert f"cause     {CASES}" in done.stdout
    where = {row["name"]: row["where"] for row in campaign(project)["phases"]}
    assert where["sequential"] == "in process"
    assert "gateway" in where.values()
    (finding,) = findings(project)
    assert (finding["size"], finding["confirmation"]["classification"]) == (1, "deterministic")
    before = statistics(project)
    again = gatecrash_in_process(project, "report", run_folder(project))
    assert again.returncode == 3
    assert statistics(project) == before
    assert f"cause     {CASES}" in again.stdout


@pytest.mark.node
@pytest.mark.parametrize("wrong", [False, True], ids=["correct", "defective"])
def test_a_handler_for_node_is_fuzzed_behind_the_gateway(project, wrong):
    handler = project / "handlers" / "authorizer.mjs"
    if wrong:
        strict, loose = "device.password !== password", "device.password.toLowerCase() !== password.toLowerCase()"
        assert strict in handler.read_text()
        handler.write_text(handler.read_text().replace(strict, loose))
    done = fuzz(project, "authorizer.mjs", *FAST, "--gateway-seconds", "6" if wrong else "3")
    assert done.returncode == (3 if wrong else 0), done.stdout + done.stderr
    assert causes(project) == ([("GC101", CASES)] if wrong else [])


def test_a_service_gets_no_more_requests_than_allowed(project):
    (project / "handlers" / "counting.py").write_text(COUNTING.format(name="ignores_case"))
    server = start(project, "serve", "--handler", "handlers/counting.py", "--port", "0")
    try:
        url = wait_until(lambda: server.stdout.readline().rpartition(" at ")[2].strip())
        at_service = ("--target", "iot", "--endpoint-url", url, "--region", "us-east-1", "--authorizer", "authorizer")
        arguments = ("--requests", "350", "--rate", "200", "--drawn", "50")
        done = gatecrash(project, "fuzz", *at_service, *PROFILE, *arguments)
    finally:
        server.terminate()
        server.communicate(timeout=20)
    assert done.returncode == 3, done.stdout + done.stderr
    assert ("GC101", CASES) in causes(project)
    counted = (project / "handlers" / "counted").stat().st_size
    assert 200 < counted <= 350
    assert statistics(project)["exchanges"] + campaign(project)["confirmations"] <= 350


def test_wrong_credentials_are_no_finding_but_an_invalid_measurement(project):
    rows = [json.loads(line) for line in DEVICES.read_text().splitlines()]
    (project / "devices.jsonl").write_text("\n".join(json.dumps({**row, "password": "wrong"}) for row in rows))
    shutil.copy(DEVICES, project / "right.jsonl")
    correct = project / "handlers" / "correct.py"
    correct.write_text(correct.read_text().replace("devices.jsonl", "right.jsonl"))
    done = fuzz(project, "correct.py", *QUICKEST)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "every valid credential was turned away before the first attack (deny)" in done.stdout
    assert findings(project) == []


@pytest.mark.parametrize("where", ["in process", "as Locust starts", "by Locust"])
def test_a_signal_ends_the_firing_and_what_was_seen_is_reported(project, where):
    long = ("--drawn", "50", "--seconds", "2", "--gateway-seconds", "60")
    if where == "in process":
        long = ("--drawn", "2000", "--seconds", "30", "--gateway-seconds", "30")
    process = start(project, "fuzz", "--handler", "handlers/ignores_case.py", *PROFILE, *long)
    seen = ""
    while ("  sequential" if where == "in process" else "(Locust)") not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    time.sleep(5 if where == "by Locust" else 1)
    descendants = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopping on SIGINT: the report follows" in output
    assert "Traceback" not in output
    assert (run_folder(project) / "report.html").exists()
    assert statistics(project)["state"]["stopped_by"] == "SIGINT"
    assert statistics(project)["exchanges"] > 0
    wait_until(lambda: not [one for one in descendants if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])


def test_no_password_reaches_a_file_of_the_run_or_the_screen(project):
    (project / "handlers" / "tells.py").write_text(TELLING)
    done = fuzz(project, "tells.py", *FAST, "--gateway-seconds", "2")
    assert done.returncode == 3, done.stdout + done.stderr
    passwords = [json.loads(line)["password"] for line in DEVICES.read_text().splitlines()]
    spelled = {spelling for one in passwords for spelling in (one, one.upper(), one.lower(), one[::-1])}
    spelled |= {base64.b64encode(one.encode()).decode() for one in spelled}
    texts = {str(path): path.read_text("utf-8", "replace") for path in run_folder(project).rglob("*") if path.is_file()}
    texts["the screen"] = done.stdout + done.stderr
    assert [(place, one) for place, text in texts.items() for one in spelled if one in text] == []


def replayed(project, number):
    done = gatecrash_in_process(project, "replay", run_folder(project), "--finding", number)
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("handler", "cause"),
    [("ignores_case", CASES), ("remembers", "an earlier request in the same environment changes the answer")],
)
def test_a_replay_tells_mended_handlers_from_others(project, handler, cause):
    assert fuzz(project, f"{handler}.py", *QUICKEST).returncode == 3
    number = [told for _, told in causes(project)].index(cause) + 1
    assert replayed(project, number) == (3, "FAILED 20 of 20")
    (project / "handlers" / f"{handler}.py").write_text("from correct import handler\n")
    assert replayed(project, number) == (0, "FIXED")
    denying = "from correct import answer\n\n\ndef handler(event, context):\n    return answer(False, 'denied')\n"
    (project / "handlers" / f"{handler}.py").write_text(denying)
    code, word = replayed(project, number)
    assert code == 4
    assert word.startswith("CANNOT TEST: the valid request that this one is made from is not let in (deny)")


@pytest.mark.parametrize("more", [(), ("--processes", "2")], ids=["one process", "two workers"])
def test_plain_locust_fires_the_phases_of_a_plan(project, more):
    arguments = ("--handler", "handlers/correct.py", *PROFILE, "--cases", "40", "--output", "plan.json")
    assert gatecrash_in_process(project, "plan", *arguments).returncode == 0
    plan = json.loads((project / "plan.json").read_text())
    order = [3, 1, 2, 3, 1, 2, 0]
    plan["phases"] = [
        {"name": "sequential", "cases": order, "concurrency": 1, "seconds": 20, "rate": None},
        {"name": "concurrent", "cases": list(range(40)), "concurrency": 8, "seconds": 20, "rate": None},
    ]
    (project / "plan.json").write_text(json.dumps(plan))
    headless = ("--headless", "--users", "8", "--spawn-rate", "8", "--plan", "plan.json", *more)
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *headless],
        cwd=project,
        env=environment(project),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    recording = json.loads((run_folder(project) / "recording.json").read_text())
    assert recording["state"]["complete"] is True
    assert sum(recording["counts"]["outcomes"].values()) == len(order) + 40
