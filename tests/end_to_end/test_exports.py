"""Findings of a real run as files of their own, and as accepted ones."""

import base64
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.command import (
    DEVICES,
    HANDLERS,
    environment,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    start,
    wait_until,
)

AWS = Path(sys.executable).parent / "aws"
PASSWORDS = [json.loads(line)["password"] for line in DEVICES.read_text().splitlines()]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "made", "AWS_SECRET_ACCESS_KEY": "up", "AWS_CONFIG_FILE": "/dev/null"}
FAST = ("--drawn", "50", "--seconds", "5", "--gateway-seconds", "0")
PROFILE = ("--credentials", "password", "--table", "devices.jsonl")
# A handler, and the cause of what it gets wrong.
CAUSES = {
    "ignores_case": "upper and lower case are the same",
    "remembers": "an earlier request in the same environment changes the answer",
}
SMALL_SCRIPT = """
import json, sys
sys.path.insert(0, "handlers")
from {handler} import handler
events = json.load(open("event.json"))
for event in events if isinstance(events, list) else [events]:
    answer = handler(event, None)
print(answer["isAuthenticated"])
"""


def fuzz(folder, handler, *arguments):
    return gatecrash(folder, "fuzz", "--handler", f"handlers/{handler}.py:handler", *PROFILE, *FAST, *arguments)


def project(folder, handler):
    """Lay a project out with a handler, and fuzz it; returns its folder."""
    (folder / "handlers").mkdir()
    shutil.copy(DEVICES, folder)
    for name in ("correct", handler):
        shutil.copy(HANDLERS / f"{name}.py", folder / "handlers")
    done = fuzz(folder, handler)
    assert done.returncode == 3, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module", params=CAUSES)
def handler(request):
    return request.param


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory, handler):
    return project(tmp_path_factory.mktemp(handler), handler)


def export(folder, handler, *arguments):
    """Export the finding of a handler's own defect."""
    causes = [json.loads(path.read_text())["cause"] for path in sorted((run_folder(folder) / "findings").iterdir())]
    number = causes.index(CAUSES[handler]) + 1
    return gatecrash_in_process(folder, "export", run_folder(folder), "--finding", number, *arguments)


def exported(folder, handler, kind, name, *arguments):
    """Export to a file below the folder, and return it."""
    done = export(folder, handler, "--as", kind, "--output", name, "--force", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / name


def run(*command, cwd, **variables):
    variables = {**environment(cwd), **CREDENTIALS, **variables}
    return subprocess.run([*map(str, command)], cwd=cwd, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def url(fuzzed, handler):
    """Serve the handler with one environment, so that requests come one after the other in it."""
    one = ("--set", "authorizer.environments=1", "--set", "authorizer.concurrency=1")
    server = start(fuzzed, "serve", "--handler", f"handlers/{handler}.py:handler", *one, "--port", "0")
    try:
        yield wait_until(lambda: server.stdout.readline().rpartition(" at ")[2].strip())
    finally:
        server.terminate()
        server.communicate(timeout=20)


def holds_no_secret(text):
    spelled = [spelling for secret in PASSWORDS for spelling in (secret, secret.upper())]
    return not any(one in text or base64.b64encode(one.encode()).decode() in text for one in spelled)


def test_a_test_fails_while_the_defect_is_there_and_passes_when_it_is_mended(fuzzed, handler, tmp_path):
    (fuzzed / "tests").mkdir()
    test = exported(fuzzed, handler, "pytest", "tests/test_found.py")
    assert holds_no_secret(test.read_text())
    # Somewhere else, as another person would check it out.
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(fuzzed, elsewhere, ignore=shutil.ignore_patterns("runs", "cache"))
    pytest_command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_found.py")
    before = run(*pytest_command, cwd=elsewhere)
    assert before.returncode == 1, before.stdout
    assert f"AssertionError: GC101 allowed what must be denied ({CAUSES[handler]}): FAILED 20 of 20" in before.stdout
    assert '20 x {"outcome":"allow"' in before.stdout
    assert holds_no_secret(before.stdout)
    shutil.copy(HANDLERS / "correct.py", elsewhere / "handlers" / f"{handler}.py")
    after = run(*pytest_command, cwd=elsewhere)
    assert after.returncode == 0, after.stdout
    (elsewhere / "devices.jsonl").unlink()
    lost = run(*pytest_command, cwd=elsewhere)
    assert lost.returncode == 1
    assert "CANNOT TEST: credentials.table: can't read" in lost.stdout


def test_a_shell_script_shows_the_wrong_answer(fuzzed, handler, url):
    script = exported(fuzzed, handler, "cli", "finding.sh", "--with-secrets")
    command = ("sh", script, "--endpoint-url", url, "--region", "us-east-1")
    shown = run(*command, cwd=fuzzed, PATH=f"{AWS.parent}:{os.environ['PATH']}")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count('"isAuthenticated": true') == (2 if handler == "remembers" else 1)


@pytest.mark.parametrize("secrets", [(), ("--with-secrets",)], ids=["made anew", "with secrets"])
def test_a_boto3_script_shows_the_wrong_answer(fuzzed, handler, url, secrets):
    script = exported(fuzzed, handler, "boto3", "finding.py", *secrets)
    assert bool(secrets) is not holds_no_secret(script.read_text())
    shown = run(sys.executable, script, "--endpoint-url", url, "--region", "us-east-1", cwd=fuzzed)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].partition(": ")[2].startswith('authenticated {"isAuthenticated": true')


def test_an_event_fed_to_the_handler_shows_the_wrong_answer(fuzzed, handler):
    exported(fuzzed, handler, "event", "event.json", "--with-secrets")
    (fuzzed / "small.py").write_text(SMALL_SCRIPT.format(handler=handler))
    shown = run(sys.executable, "small.py", cwd=fuzzed)
    assert shown.stdout == "True\n", shown.stderr


def test_what_a_baseline_accepts_passes_until_its_date(fuzzed, handler, tmp_path):
    today = datetime.now(UTC).date()
    until, past = today + timedelta(days=30), today - timedelta(days=1)
    written = gatecrash_in_process(
        fuzzed, "baseline", run_folder(fuzzed), "--until", until, "--reason", "mended in spring"
    )
    assert written.returncode == 0, written.stderr
    baseline = fuzzed / "baseline.toml"
    again = gatecrash_in_process(fuzzed, "baseline", run_folder(fuzzed), "--until", until)
    assert "Nothing to add to baseline.toml" in again.stdout
    others = (("GC302", until), ("GC301 Gone", past))
    with baseline.open("a") as file:
        file.writelines(f'\n[[accepted]]\nfinding = "{name}"\nuntil = {day}\n' for name, day in others)
    runs = ("--runs", tmp_path / "runs", "--baseline", baseline)
    passed = fuzz(fuzzed, handler, *runs)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert f"until {until} by the baseline" in passed.stdout
    assert f"Baseline  GC302 is accepted until {until}, but was not found" in passed.stdout
    assert f"Baseline  GC301 Gone was accepted until {past}, and counts again" in passed.stdout
    folder = run_folder(tmp_path)
    assert json.loads((folder / "stats.json").read_text())["verdict"]["exit_code"] == 0

    baseline.write_text(baseline.read_text().replace(str(until), str(past)))
    lapsed = gatecrash_in_process(fuzzed, "report", folder)
    assert lapsed.returncode == 3
    assert f"({CAUSES[handler]})" in lapsed.stdout
    baseline.write_text(baseline.read_text().replace(str(past), str(until)))
    assert gatecrash_in_process(fuzzed, "report", folder).returncode == 0
    baseline.unlink()
    lost = gatecrash_in_process(fuzzed, "report", folder)
    assert lost.returncode == 0, "what was accepted before stays so"
    assert "Baseline  output.baseline: there is no file" in lost.stdout
