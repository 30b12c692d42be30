"""The wheel alone: installed into an empty environment, the main job runs from another folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_installs_one_name(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"gatecrash"}


def test_the_wheel_holds_what_is_no_python(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "gatecrash/authorizers/gateway/runtime_clients/node.mjs",
        "gatecrash/authorizers/samples/jwt_secret.txt",
        "gatecrash/locustfiles/steady.py",
        "gatecrash/reports/schemas/stats.schema.json",
        "gatecrash/reports/schemas/comparison.schema.json",
        "gatecrash/schemas/settings.schema.json",
        "gatecrash/reports/templates/report.html.j2",
    } <= names


def test_the_main_job_runs_from_the_wheel_in_another_folder(wheel, tmp_path):
    place = tmp_path / "environment"
    quiet = {"check": True, "capture_output": True, "timeout": 300}
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(place)], **quiet)
    install = [*uv, "pip", "install", "--quiet", "--python", str(place / "bin" / "python")]
    subprocess.run([*install, "--require-hashes", "-r", str(ROOT / "requirements.lock")], **quiet)
    subprocess.run([*install, "--no-deps", str(wheel)], **quiet)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "PYTHON"))}
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    done = subprocess.run(
        [str(place / "bin" / "gatecrash"), "run", "--duration", "3", "--warm-up", "1", "--rate", "20"],
        cwd=folder,
        env={**kept, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(folder.glob("runs/*/report.html"))) == 1
