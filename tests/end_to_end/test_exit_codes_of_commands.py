"""Exit codes of other commands than `gatecrash run`, by the real commands, where no other test reaches them."""

import signal
import time
from functools import partial

import pytest

from tests.end_to_end.command import HANDLERS, PASSWORDS, gatecrash, run_folder, side_by_side, start
from tests.end_to_end.distributed import SCRIPTED, free_port

CORRECT = ("--handler", HANDLERS / "correct.py", *PASSWORDS)
SEARCH = (
    *("capacity", *PASSWORDS, "--target", "scripted", "--cases", "20", "--latency", "1"),
    *("--start-rate", "50", "--max-rate", "50"),
    *("--set", "capacity.probe_seconds=3", "--set", "capacity.warm_up=0.5", "--set", "corpus.valid_share=0.5"),
)
THROTTLES = ("--set", "target.script={throttle_rate=1.0}")
SHORT = ("run", *SCRIPTED, *PASSWORDS, "--duration", "1", "--warm-up", "0", "--cases", "20")
ATTACKS = ("--set", "corpus.valid_share=0.5")
FUZZ = ("fuzz", *CORRECT, "--gateway-seconds", "0", "--drawn")
SLOW_TO_IMPORT = "import time\n\ntime.sleep(60)\n\n\ndef handler(event, context):\n    return {}\n"


def ended(*arguments):
    """Return what runs a command to its end in a folder, and returns its exit code and output."""

    def run(folder):
        done = gatecrash(folder, *arguments)
        return done.returncode, done.stdout + done.stderr

    return run


def stopped(number, word, *arguments):
    """Return what sends a command a signal a second after it said a word, or after some seconds where there is none."""

    def run(folder):
        with start(folder, *arguments) as process:
            seen, line = "", "begins"
            while word is not None and word not in seen and line:
                line = process.stdout.readline()
                seen += line
            time.sleep(1 if word else 5)
            process.send_signal(number)
            seen += process.communicate(timeout=60)[0]
        return process.returncode, seen

    return run


def added_to_a_history(folder):
    assert gatecrash(folder, *SHORT, "--set", "corpus.valid_share=1.0").returncode == 0
    return ended("trend", "add", "--history", "history.sqlite", run_folder(folder))(folder)


def exported(folder):
    assert gatecrash(folder, *SHORT, *ATTACKS).returncode == 3
    return ended("export", run_folder(folder), "--as", "boto3", "--output", "finding.py")(folder)


def ended_before_it_served(number, folder):
    (folder / "slow.py").write_text(SLOW_TO_IMPORT)
    code, output = stopped(number, None, "serve", "--handler", "slow.py", "--port", "0")(folder)
    assert "Serving" not in output
    return code, output


def waiting_worker(number, folder):
    return stopped(number, None, "worker", "--port", free_port(), *PASSWORDS)(folder)


REACHED_HERE = {
    ("capacity", 3): ended(*SEARCH),
    ("capacity", 4): ended(*SEARCH, *THROTTLES),
    ("capacity", 130): stopped(signal.SIGINT, "Searching", *SEARCH),
    ("capacity", 143): stopped(signal.SIGTERM, "Searching", *SEARCH),
    ("fuzz", 1): ended(*FUZZ, "10", "--seconds", "2", "--threshold", "exchanges < 1"),
    ("fuzz", 143): stopped(signal.SIGTERM, "  sequential", *FUZZ, "2000", "--seconds", "60"),
    ("serve", 130): partial(ended_before_it_served, signal.SIGINT),
    ("serve", 143): partial(ended_before_it_served, signal.SIGTERM),
    ("worker", 130): partial(waiting_worker, signal.SIGINT),
    ("worker", 143): partial(waiting_worker, signal.SIGTERM),
    ("export", 0): exported,
    ("trend add", 0): added_to_a_history,
    ("explain", 0): ended("explain", "GC101"),
    ("init", 0): ended("init"),
    ("doctor", 0): ended("doctor", *CORRECT),
    ("doctor", 2): ended("doctor", "--handler", "nowhere.py:handler", *PASSWORDS),
}


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    jobs = (partial(reach, tmp_path_factory.mktemp("command")) for reach in REACHED_HERE.values())
    return dict(zip(REACHED_HERE, side_by_side(*jobs, at_once=4), strict=True))


@pytest.mark.parametrize(("command", "code"), list(REACHED_HERE), ids=str)
def test_a_command_ends_with_its_exit_code(endings, command, code):
    found, output = endings[command, code]
    assert found == code, output
    assert "Traceback" not in output
