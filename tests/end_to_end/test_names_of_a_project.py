"""A project may name its folders and modules as gatecrash names its own, or as Python does."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import DEVICES, HANDLERS, environment, run_folder, wait_until

PROGRAMS = Path(sys.executable).parent
FOLDERS = ("authorizers", "firing", "gatecrash_tests", "generators", "locustfiles", "reports")
# Modules beside the handler that stand in nobody's way, since Python has its own already, or they are the project's.
STANDARD = ("types", "random", "tempfile", "selectors")
PROFILE = ("--credentials", "password", "--table", "devices.jsonl")
LOCUSTFILE = """
from gatecrash.locustfiles import AuthorizerUser

class Fleet(AuthorizerUser):
    pass
"""


def lay_out(folder):
    """Make a project whose handler imports a module of every folder, and one that is named as Python's."""
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("")
        (folder / name / "own.py").write_text(f"NAME = {name!r}\n")
    for name in STANDARD:
        (folder / f"{name}.py").write_text("raise RuntimeError('this is not the module that you look for')\n")
    imports = "".join(f"from {name} import own as {name}_own\n" for name in FOLDERS)
    check = f"assert ({', '.join(f'{name}_own.NAME' for name in FOLDERS)}) == {FOLDERS!r}\n"
    handler = (
        (HANDLERS / "ignores_case.py").read_text().replace("from correct import", "from authorizers.correct import")
    )
    (folder / "app.py").write_text(f"import types\n{imports}{check}assert types.SimpleNamespace\n{handler}")
    shutil.copy(HANDLERS / "correct.py", folder / "authorizers")
    shutil.copy(DEVICES, folder)
    # The usual place of an authorizer, and a name that was gatecrash's own.
    (folder / "authorizers" / "app.py").write_text("from correct import handler\n")
    (folder / "fleet.py").write_text(LOCUSTFILE)
    settings = '[authorizer]\nhandler = "app.py:handler"\n[credentials]\nkind = "password"\ntable = "devices.jsonl"\n'
    (folder / "gatecrash.toml").write_text(settings)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module", params=["its own folder", "another folder"])
def place(request, project, tmp_path_factory):
    """Where a person stands, and what leads from there to the project's settings."""
    return project if request.param == "its own folder" else tmp_path_factory.mktemp("elsewhere")


def run(place, program, *arguments):
    return subprocess.run(
        [PROGRAMS / program, *map(str, arguments)],
        cwd=place,
        env={**environment(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def settings_of(project):
    return ("--config", project / "gatecrash.toml")


@pytest.fixture(scope="module")
def fuzzed(project, place):
    done = run(
        place, "gatecrash", "fuzz", *settings_of(project), "--drawn", 300, "--seconds", 5, "--runs", place / "fuzzed"
    )
    assert done.returncode == 3, done.stdout + done.stderr
    (folder,) = (place / "fuzzed").iterdir()
    return folder


def test_a_fuzz_run_finds_what_is_wrong(fuzzed):
    causes = [json.loads(path.read_text())["cause"] for path in sorted((fuzzed / "findings").iterdir())]
    assert "upper and lower case are the same" in causes


def test_a_finding_is_replayed(place, fuzzed):
    done = run(place, "gatecrash", "replay", fuzzed, "--finding", 1)
    assert "upper and lower case are the same" in done.stdout
    assert done.returncode == 3, done.stdout + done.stderr


def test_an_exported_test_fails_as_the_finding_says(project, place, fuzzed):
    name = f"test_{place.name.replace('-', '_')}.py"
    done = run(place, "gatecrash", "export", fuzzed, "--finding", 1, "--as", "pytest", "--output", project / name)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = run(project, "pytest", "-q", "-p", "no:cacheprovider", name)
    assert tested.returncode == 1
    assert "GC101 allowed what must be denied (upper and lower case are the same)" in tested.stdout


@pytest.mark.parametrize("handler", ["app.py", "authorizers/app.py"])
def test_a_run_passes(project, place, handler):
    """More cases than one process makes, so that processes are started from where the person stands."""
    runs = place / f"runs of {Path(handler).parent.name or Path(handler).stem}"
    few = ("--duration", 2, "--warm-up", 1, "--rate", 60, "--cases", 300, "--set", "corpus.valid_share=1.0")
    done = run(
        place,
        "gatecrash",
        "run",
        *settings_of(project),
        "--handler",
        f"{project / handler}:handler",
        *few,
        "--runs",
        runs,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_gateway_serves(project, place):
    with subprocess.Popen(
        [PROGRAMS / "gatecrash", "serve", "--config", project / "gatecrash.toml", "--port", "0"],
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert wait_until(lambda: " at http://127.0.0.1:" in server.stdout.readline())
        finally:
            os.kill(server.pid, signal.SIGTERM)


def test_a_locustfile_of_ones_own_fires(project):
    """``locust`` takes the settings of the folder that it is started in."""
    done = run(project, "locust", "-f", "fleet.py", "--headless", "--rate", 40, "--duration", 2, "--warm-up", 0)
    # The handler lets in what it must deny, and Locust ends with 1 for requests that failed.
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    recording = json.loads((run_folder(project) / "run.json").read_text())
    assert recording["plan"]["rate"] == 40


def test_a_locustfile_from_elsewhere_fires(project, tmp_path):
    shutil.copy(project / "gatecrash.toml", tmp_path)
    text = (tmp_path / "gatecrash.toml").read_text().replace("app.py", f"{project}/app.py")
    (tmp_path / "gatecrash.toml").write_text(text.replace('"devices', f'"{project}/devices'))
    done = run(tmp_path, "locust", "-f", project / "fleet.py", "--headless", "--rate", 40, "--duration", 2)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert (run_folder(tmp_path) / "run.json").exists()
