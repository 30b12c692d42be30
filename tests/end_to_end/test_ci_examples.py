"""The examples for CI: they are read, their policies allow what is called, their steps run as they stand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.command import HANDLERS, HERE, environment

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "ci"
SETTINGS = """
[authorizer]
handler = "authorizer.py:handler"
# Beside it what a busy machine adds is little.
faults = {latency = 0.1}
[credentials]
kind = "password"
table = "devices.jsonl"
[load]
rate = 50
duration = 3
warm_up = 0.5
[corpus]
cases = 60
[thresholds]
hold = ["achieved_rate > 50%"]
# Two short runs on a busy machine tell nothing of latencies.
[compare]
latency = 10
"""
# The table lies beside the handler.
CORRECT = (HANDLERS / "correct.py").read_text().replace(".parent.parent", ".parent")
CHECK = ' and hmac.compare_digest(password, device["password"].encode())'


def read(name):
    return yaml.safe_load((EXAMPLES / name).read_text())


def shell_steps():
    """Return the scripts of the example for GitHub Actions, by name, in their order."""
    steps = read("github-actions.yml")["jobs"]["authorizer"]["steps"]
    return {step["name"]: step for step in steps if "run" in step}


class Job:
    """A repository that is checked out, with what the cache brings."""

    def __init__(self, folder, cache):
        self.folder, self.summary = folder, folder / "step-summary.md"
        folder.mkdir()
        shutil.copy(HERE / "devices.jsonl", folder)
        (folder / "gatecrash.toml").write_text(SETTINGS)
        self.handler(CORRECT)
        if cache is not None:
            shutil.copytree(cache, folder / "runs")

    def handler(self, text):
        (self.folder / "authorizer.py").write_text(text)

    def run(self):
        """Run the steps as a runner does: after one that failed only those that always run. Returns the codes."""
        path = self.folder / "bin"
        path.mkdir()
        (path / "gatecrash").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gatecrash "$@"\n')
        (path / "gatecrash").chmod(0o755)
        variables = {
            **environment(self.folder),
            "PATH": f"{path}:{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        codes = {}
        for name, step in shell_steps().items():
            # The package that is tested is installed already.
            if name == "Install" or (any(codes.values()) and step.get("if") != "always()"):
                continue
            command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
            done = subprocess.run(
                command, cwd=self.folder, env=variables, capture_output=True, text=True, timeout=120, check=False
            )
            codes[name] = done.returncode
            self.output = done.stdout + done.stderr
        return codes


def test_the_steps_of_github_actions_compare_with_the_last_good_night_and_fail_on_a_defect(tmp_path):
    first = Job(tmp_path / "first", None)
    assert set(first.run().values()) == {0}, first.output
    assert "PASS" in first.summary.read_text()

    second = Job(tmp_path / "second", first.folder / "runs")
    assert set(second.run().values()) == {0}, second.output
    assert "Compared with an earlier run: SAME" in second.summary.read_text()
    assert "2 runs named authorizer" in second.summary.read_text()
    artifacts = {path.name for path in (second.folder / "report").iterdir()}
    assert artifacts == {"report.html", "junit.xml", "stats.json", "trend.html"}

    third = Job(tmp_path / "third", second.folder / "runs")
    # Without the comparison of the password whoever knows a name is let in.
    assert CHECK in CORRECT
    third.handler(CORRECT.replace(CHECK, ""))
    codes = third.run()
    assert codes["Test"] == 3
    assert {code for name, code in codes.items() if name != "Test"} == {0}
    told = third.summary.read_text()
    assert "GC101 allowed what must be denied" in told
    assert "now allowed" in told


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "buildspec.yml"])
def test_every_example_tests_compares_and_keeps_the_report(name):
    text = (EXAMPLES / name).read_text()
    assert read(name)
    for words in ("gatecrash run", "--against last-good", "junit.xml", "head -n -14", "runs/history.sqlite --check"):
        assert words in text


def test_the_policies_allow_what_is_called_on_one_resource():
    for name, actions in (
        ("policy.json", {"iot:DescribeAuthorizer", "iot:TestInvokeAuthorizer"}),
        ("policy-lambda.json", {"lambda:InvokeFunction"}),
    ):
        (statement,) = json.loads((EXAMPLES / name).read_text())["Statement"]
        allowed = statement["Action"]
        assert set([allowed] if isinstance(allowed, str) else allowed) == actions
        assert statement["Resource"].endswith("NAME")
        assert "*" not in statement["Resource"]
    (trust,) = json.loads((EXAMPLES / "trust.json").read_text())["Statement"]
    assert trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"].endswith("refs/heads/main")
