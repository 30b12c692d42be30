"""What a command does when nobody reads its output any more, and when it has text that the terminal can't show."""

import subprocess
import sys

import pytest

from tests.end_to_end.command import PASSWORDS, command, environment, run_folder
from tests.end_to_end.distributed import SCRIPTED

SHORT = ("run", *SCRIPTED, *PASSWORDS, "--duration", "1", "--warm-up", "0", "--cases", "20")


def left_after_the_first_line(folder, *arguments):
    """Run a command whose output is read for a line; return its exit code and what it said on standard error."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(*arguments), cwd=folder, env=environment(folder), **pipes) as process:
        assert process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        return process.wait(60), errors


@pytest.mark.parametrize(("share", "code"), [("1.0", 0), ("0.5", 3)])
def test_a_run_whose_reader_leaves_goes_on_to_its_report_and_keeps_its_exit_code(tmp_path, share, code):
    arguments = (*SHORT, "--set", f"corpus.valid_share={share}")
    assert left_after_the_first_line(tmp_path, *arguments) == (code, "")
    assert (run_folder(tmp_path) / "report.html").exists()


def test_help_whose_reader_leaves_is_no_failure(tmp_path):
    assert left_after_the_first_line(tmp_path, "run", "--help") == (0, "")


def test_text_that_the_terminal_can_not_show_is_escaped(tmp_path):
    program = (
        "from gatecrash.streams import prepare_streams; prepare_streams(); import sys; "
        "print('grün \\u2713'); print('\\u2713', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONIOENCODING": "latin-1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == "grün \\u2713\n".encode("latin-1")
    assert done.stderr == b"\\u2713\n"
