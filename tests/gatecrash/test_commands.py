"""The commands, called in this process."""

import re
from pathlib import Path

import pytest

from gatecrash.app import app, commands

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", commands.list_commands(None))
def test_every_command_has_help_and_is_documented(name, capsys):
    assert app([name, "--help"]) == 0
    assert "Usage: gatecrash" in capsys.readouterr().out
    assert commands.get_command(None, name).short_help
    texts = [path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]
    assert any(f"gatecrash {name}" in text for text in texts)


def test_an_unknown_command_is_a_usage_error(capsys):
    assert app(["rnu"]) == 2
    assert "rnu" in capsys.readouterr().err


def test_init_writes_a_file_once(tmp_path, capsys):
    assert app(["init"]) == 0
    assert "[credentials]" in (tmp_path / "gatecrash.toml").read_text()
    assert app(["init"]) == 2
    assert "gatecrash.toml is there already" in capsys.readouterr().err
    assert app(["init", "--force"]) == 0


def test_doctor_finds_the_sample_fit(capsys):
    assert app(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "jwt, 50 identities" in shown
    assert "bad" not in shown


def test_doctor_says_what_would_keep_a_run_from_working(capsys):
    assert app(["doctor", "--handler", "nowhere.py"]) == 2
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "bad handler there is no file" in shown
    assert "bad credentials none" in shown


def test_replay_of_a_finding_that_is_not_there(tmp_path, capsys):
    assert app(["replay", str(tmp_path)]) == 2
    assert "is not a run folder" in capsys.readouterr().err
