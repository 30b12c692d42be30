"""The examples for CI: they are read, their policies allow what is called, their steps run as they stand."""

import json
import shutil
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import pytest

from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.reports.trend.history import History
from tests.end_to_end.ci_services import EXAMPLES, CodeBuild, GitHub, GitLab, read
from tests.end_to_end.command import DEVICES, HANDLERS, side_by_side

NAMES = ("github-actions.yml", "gitlab-ci.yml", "buildspec.yml")
SETTINGS = """
[authorizer]
handler = "authorizer.py:handler"
# Beside it what a busy machine adds is little.
faults = {latency = 0.1}
[credentials]
kind = "password"
table = "devices.jsonl"
# Without a schedule nothing is late on a busy machine.
[load]
model = "closed"
users = 4
duration = 3
warm_up = 0.5
[corpus]
cases = 60
[thresholds]
hold = ["fail_open == 0"]
# Two short runs on a busy machine tell nothing of these.
[compare]
latency = 10
achieved_rate = 10
error_rate = 0.9
"""
# The table lies beside the handler.
CORRECT = (HANDLERS / "correct.py").read_text().replace(".parent.parent", ".parent")
CHECK = ' and hmac.compare_digest(password, device["password"].encode())'
# Without the comparison of the password whoever knows a name is let in.
OPEN = CORRECT.replace(CHECK, "")
# Another policy is a change that nothing but a person knows to be meant.
MOVED = CORRECT.replace("arn:aws:iot:x:1:", "arn:aws:iot:x:2:")
REASON = 'the "fleet" moved; it\'s meant'


def mistaken(settings):
    return settings.replace("devices.jsonl", "nowhere.jsonl")


def github(folder):
    """Nights at GitHub: a change comes in the second and is accepted in the third; the fourth fires nothing."""
    service = GitHub(folder)
    return SimpleNamespace(
        first=service.job(CORRECT, SETTINGS),
        changed=service.job(MOVED, SETTINGS),
        accepted=service.job(MOVED, SETTINGS, REASON),
        mistaken=service.job(MOVED, mistaken(SETTINGS)),
        wrong=service.job(OPEN, SETTINGS),
        service=service,
    )


def gitlab(folder):
    """Nights at GitLab: the second shows a change, the third accepts it and fires nothing."""
    service = GitLab(folder)
    return SimpleNamespace(
        first=service.job(CORRECT, SETTINGS),
        changed=service.job(MOVED, SETTINGS),
        mistaken=service.job(MOVED, mistaken(SETTINGS), REASON),
        service=service,
    )


def codebuild(folder):
    """The same nights of a deployed authorizer, which the embedded gateway stands in for."""
    service = CodeBuild(folder)
    shutil.copy(DEVICES, folder)
    with deployed(folder, CORRECT) as before, deployed(folder, MOVED) as after:
        return SimpleNamespace(
            first=service.job(CORRECT, before),
            changed=service.job(CORRECT, after),
            mistaken=service.job(CORRECT, mistaken(after), REASON),
            service=service,
        )


@contextmanager
def deployed(folder, text):
    """Deploy a handler, and yield the settings that lead there; they name a handler of this machine too."""
    handler = folder / f"{'moved' if text == MOVED else 'correct'}.py"
    handler.write_text(text)
    gateway = LocalGateway(
        {"handler": f"{handler}:handler", "authorizer": "my-authorizer", "provisioned": 0, "port": 0}
    )
    try:
        yield f'{SETTINGS}[target]\nendpoint_url = "{gateway.url}"\n'
    finally:
        gateway.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    jobs = (github, gitlab, codebuild)
    folders = [tmp_path_factory.mktemp(job.__name__) for job in jobs]
    return dict(zip(NAMES, side_by_side(*map(partial, jobs, folders)), strict=True))


# The step that ends as `gatecrash run` did; CodeBuild's test turns every failure into 1.
TESTS = {"github-actions.yml": "Test", "gitlab-ci.yml": "script", "buildspec.yml": "build"}


@pytest.fixture(params=NAMES)
def example(request, made):
    return request.param, made[request.param]


def ended(name, job):
    return job.codes[TESTS[name]]


def others(name, job):
    return {code for step, code in job.codes.items() if step != TESTS[name]}


def test_the_first_night_passes_and_leaves_its_report(example):
    _, seen = example
    assert set(seen.first.codes.values()) == {0}, seen.first.output
    assert seen.first.report >= {"report.html", "junit.xml", "stats.json", "trend.html"}
    assert "Compared  with none" in seen.first.output


def test_a_change_fails_the_job_which_shows_its_report_and_the_trend(example):
    name, seen = example
    assert ended(name, seen.changed) == 1, seen.changed.output
    assert others(name, seen.changed) == {0}
    assert "policy changed" in seen.changed.output
    assert seen.changed.report == seen.first.report
    assert "2 runs named authorizer" in seen.changed.output


def test_a_failing_night_is_kept_and_its_change_can_be_accepted_by_hand(example):
    _, seen = example
    with History(seen.service.kept / "history.sqlite") as history:
        runs = history.runs()
    assert [(run.exit_code, run.accepted) for run in runs[:2]] == [(0, None), (1, REASON)]
    assert (seen.service.kept / folders_of(seen.changed)[-1] / "stats.json").exists()


def test_the_night_after_is_compared_with_the_one_that_was_accepted(made):
    job = made["github-actions.yml"].accepted
    assert set(job.codes.values()) == {0}, job.output
    assert list(job.codes) == ["Accept", "Test", "Summary", "Trend"]
    comparison = json.loads((job.folder / "runs" / folders_of(job)[-1] / "comparison.json").read_text())
    assert comparison["earlier"]["place"].endswith(folders_of(job)[-2])
    assert "policy changed" not in job.output


def folders_of(job):
    return sorted(path.name for path in (job.folder / "runs").iterdir() if path.is_dir())


def test_a_job_that_makes_no_run_shows_nothing_of_an_earlier_night(example):
    name, seen = example
    assert ended(name, seen.mistaken) == (1 if name == "buildspec.yml" else 2), seen.mistaken.output
    assert "nowhere.jsonl" in seen.mistaken.output
    assert "junit.xml" not in seen.mistaken.report
    assert folders_of(seen.mistaken), "those of earlier nights are there"


def test_the_summary_of_a_github_job_is_tonights(made):
    seen = made["github-actions.yml"]
    assert "PASS" in seen.first.summary.read_text()
    assert "Compared with an earlier run" in seen.accepted.summary.read_text()
    told = seen.mistaken.summary.read_text()
    assert told.startswith("gatecrash made no run folder")
    assert "PASS" not in told


def test_a_defect_is_told_and_compared_with_the_night_that_was_accepted(made):
    job = made["github-actions.yml"].wrong
    assert ended("github-actions.yml", job) == 3, job.output
    told = job.summary.read_text()
    assert "GC101 allowed what must be denied" in told
    assert "now allowed" in told


def test_what_a_pull_request_or_merge_request_brings_is_not_kept():
    (save,) = [step for step in read(NAMES[0])["jobs"]["authorizer"]["steps"] if "cache/save" in step.get("uses", "")]
    assert GitHub.applies(save["if"], SimpleNamespace(codes={"Test": 1}), "schedule", "")
    assert not GitHub.applies(save["if"], SimpleNamespace(codes={"Test": 0}), "pull_request", "")
    rules = read(NAMES[1])["authorizer"]["rules"]
    assert [rule["variables"]["CACHE_POLICY"] for rule in rules] == ["pull-push", "pull"]
    assert "merge_request" in rules[1]["if"]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_keeps_a_fortnight_by_gatecrash_itself(name):
    text = (EXAMPLES / name).read_text()
    assert "--keep 14 --against last-good" in text
    assert "rm -r" not in text


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
    for name, subject in (
        ("trust.json", "token.actions.githubusercontent.com:sub"),
        ("trust-gitlab.json", "gitlab.com:sub"),
    ):
        (trust,) = json.loads((EXAMPLES / name).read_text())["Statement"]
        provider = trust["Principal"]["Federated"].partition("oidc-provider/")[2]
        condition = trust["Condition"]["StringEquals"]
        assert condition.keys() == {subject, f"{provider}:aud"}
        assert condition[subject].endswith("main")
