"""The scripts by which people run the tests."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import HERE, LEFT_OUT_BY_QUICK

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".venv" / ".installed-requirements-dev.lock"


def is_installed():
    """Say whether scripts/test has nothing to install before it runs the tests."""
    return INSTALLED.exists() and all(
        (ROOT / name).stat().st_mtime <= INSTALLED.stat().st_mtime
        for name in ("pyproject.toml", "requirements-dev.lock")
    )


def test_what_the_quick_tests_leave_out_is_there_and_named_to_contributors():
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    for name in LEFT_OUT_BY_QUICK:
        assert (HERE / name).exists()
        assert f"`tests/{name}`" in contributing


@pytest.mark.skipif(not is_installed(), reason="scripts/test would install first")
def test_the_quick_tests_leave_out_what_they_say_and_other_arguments_go_to_pytest():
    command = [ROOT / "scripts" / "test", "--quick", "--collect-only", "-q", "tests/documentation", "tests/packaging"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    files = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    everything = {
        f"tests/{path.relative_to(HERE)}"
        for name in ("documentation", "packaging")
        for path in (HERE / name).glob("test_*.py")
    }
    assert files == everything - {f"tests/{name}" for name in LEFT_OUT_BY_QUICK}
