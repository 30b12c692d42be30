"""What the CI services do with the examples of docs/ci: their steps run as they stand, with what is kept between runs.

The package that is tested is installed already, so the steps that install it are left out.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.end_to_end.command import HERE, environment

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "ci"
# `aws s3 sync` between a folder and one that stands for a bucket.
AWS = """#!/bin/sh -e
for last; do before=$one; one=$last; done
from=$(echo "$before" | sed "s|^s3://|$BUCKETS/|") to=$(echo "$one" | sed "s|^s3://|$BUCKETS/|")
rm -rf "$to"
if [ -d "$from" ]; then mkdir -p "$to" && cp -R "$from/." "$to"; else mkdir -p "$to"; fi
"""


def read(name):
    return yaml.safe_load((EXAMPLES / name).read_text())


@dataclass
class Job:
    """A repository that is checked out for one job, and what the job came to: its codes by step, and its output."""

    folder: Path
    codes: dict = field(default_factory=dict)
    output: str = ""

    def prepare(self, handler, settings):
        self.folder.mkdir(parents=True)
        shutil.copy(HERE / "devices.jsonl", self.folder)
        (self.folder / "gatecrash.toml").write_text(settings)
        (self.folder / "authorizer.py").write_text(handler)
        programs = self.folder / "bin"
        programs.mkdir()
        for name, text in (("gatecrash", f'#!/bin/sh\nexec "{sys.executable}" -m gatecrash "$@"\n'), ("aws", AWS)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)

    def shell(self, step, script, *shell, **variables):
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            [*shell, "-c", script],
            cwd=self.folder,
            env={**environment(self.folder), "PATH": path, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.codes[step] = done.returncode
        self.output += done.stdout + done.stderr
        return done.returncode

    @property
    def report(self):
        return {path.name for path in (self.folder / "report").iterdir()}


class Service:
    """A CI service with what it keeps from one job to the next."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def job(self, handler, settings, accept=""):
        self.count += 1
        job = Job(self.folder / f"job-{self.count}")
        job.prepare(handler, settings)
        self.run(job, accept)
        return job


class GitHub(Service):
    """GitHub Actions: a step after one that failed is run where it says so; a cache is made once and never changed."""

    def run(self, job, accept):
        job.summary = job.folder / "step-summary.md"
        event = "workflow_dispatch" if accept else "schedule"
        for number, step in enumerate(read("github-actions.yml")["jobs"]["authorizer"]["steps"]):
            action = step.get("uses", "").partition("@")[0]
            if step.get("name") == "Install" or not self.applies(step.get("if", "success()"), job, event, accept):
                continue
            if "run" in step:
                given = {
                    name: value.replace("${{ inputs.accept }}", accept) for name, value in step.get("env", {}).items()
                }
                variables = {"GITHUB_STEP_SUMMARY": str(job.summary), **given}
                job.shell(step["name"], step["run"], "bash", "-e", "-o", "pipefail", **variables)
            elif action.startswith("actions/cache"):
                assert number, "a checkout comes first"
                self.cache(action, step["with"], job)

    @staticmethod
    def applies(condition, job, event, accept):
        first, _, rest = condition.partition(" && ")
        assert rest in {"", "github.event_name != 'pull_request'"}
        if rest and event == "pull_request":
            return False
        return {
            "always()": True,
            "success()": not any(job.codes.values()),
            "inputs.accept": bool(accept) and not any(job.codes.values()),
        }[first]

    @property
    def kept(self):
        return max((self.folder / "caches").iterdir(), key=lambda cache: int(cache.name.split("-")[1]))

    def cache(self, action, options, job):
        key = options["key"].replace("${{ github.run_id }}", str(self.count)).replace("${{ github.run_attempt }}", "1")
        caches, path = self.folder / "caches", job.folder / options["path"]
        if action == "actions/cache/save":
            assert not (caches / key).exists()
            shutil.copytree(path, caches / key)
            return
        # Anything else would save after jobs that succeeded alone.
        assert action == "actions/cache/restore"
        known = sorted(caches.glob(f"{options['restore-keys']}*"), key=lambda cache: int(cache.name.split("-")[1]))
        if known:
            shutil.copytree(known[-1], path)


class GitLab(Service):
    """GitLab CI: the script is one shell, what comes after it another; the cache has one name."""

    def run(self, job, accept):
        example = read("gitlab-ci.yml")["authorizer"]
        cache, options = self.folder / "cache", example["cache"]
        assert options["paths"] == ["runs"]
        if cache.exists():
            shutil.copytree(cache, job.folder / "runs")
        variables = {"ACCEPT": accept} if accept else {}
        for step in ("script", "after_script"):
            job.shell(step, "\n".join(example[step]), "bash", "-e", "-o", "pipefail", **variables)
        if options["when"] == "always" or not job.codes["script"]:
            shutil.rmtree(cache, ignore_errors=True)
            shutil.copytree(job.folder / "runs", cache)

    @property
    def kept(self):
        return self.folder / "cache"


class CodeBuild(Service):
    """AWS CodeBuild: a phase ends with its first command that fails; the one after the build comes in any case."""

    def run(self, job, accept):
        example = read("buildspec.yml")
        assert "cache" not in example, "whether a cache is kept after a failing build is not said"
        variables = {**example["env"]["variables"], "BUCKETS": str(self.folder / "buckets")}
        if accept:
            variables["ACCEPT"] = accept
        for phase in ("pre_build", "build", "post_build"):
            # All commands of a phase share a shell, which doesn't stop at what fails within one of them.
            script = "\n".join(f"{{ {command}\n}} || exit" for command in example["phases"][phase]["commands"])
            if job.shell(phase, script, "sh", **variables) and phase == "pre_build":
                return

    @property
    def kept(self):
        return self.folder / "buckets" / "my-bucket" / "authorizer"
