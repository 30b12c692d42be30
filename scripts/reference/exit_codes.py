"""When each command ends with which exit code: what the reference says, and what the tests reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatecrash.reports.run.verdict import ExitCode

# The worst applies, in this order. A signal keeps its own code.
ORDER: Final = (
    *(ExitCode.USAGE, ExitCode.INVALID_MEASUREMENT, ExitCode.WRONG_DECISIONS, ExitCode.THRESHOLD_FAILED),
    ExitCode.PASS,
)
# What any command may end with.
EVERYWHERE: Final[Mapping[ExitCode, str]] = {
    ExitCode.USAGE: "a mistake on the command line or in the settings: a sentence says which, and nothing was done",
    ExitCode.INTERRUPTED: "Ctrl-C (SIGINT)",
}

_WRONG: Final = "wrong or inconsistent decisions, or answers that AWS can't accept"
_INVALID: Final = "the measurement is invalid: it says nothing about the authorizer"
_STOPPED: Final[Mapping[ExitCode, str]] = {
    ExitCode.INTERRUPTED: "stopped by Ctrl-C (SIGINT); the report is written all the same",
    ExitCode.TERMINATED: "stopped by SIGTERM; the report is written all the same",
}
_DONE: Final[Mapping[ExitCode, str]] = {ExitCode.PASS: "done"}
_COMPARED: Final[Mapping[ExitCode, str]] = {
    ExitCode.PASS: "nothing got worse",
    ExitCode.THRESHOLD_FAILED: "something got worse",
    ExitCode.USAGE: "a mistake, or the two can't be compared",
}

# By the words of a command; what is not said here is what EVERYWHERE says.
BY_COMMAND: Final[Mapping[str, Mapping[ExitCode, str]]] = {
    "run": {
        ExitCode.PASS: "nothing wrong was seen, and every threshold held",
        ExitCode.THRESHOLD_FAILED: "a threshold failed, or with `--against` something got worse",
        ExitCode.WRONG_DECISIONS: _WRONG,
        ExitCode.INVALID_MEASUREMENT: _INVALID,
        **_STOPPED,
    },
    "worker": {
        ExitCode.PASS: "the run ended in order; how it ended the master's report says",
        ExitCode.USAGE: "a mistake, there is no master, or the master sent this worker away",
        ExitCode.INVALID_MEASUREMENT: "this worker was lost to the run, or the master to this worker",
        ExitCode.INTERRUPTED: "Ctrl-C (SIGINT)",
        ExitCode.TERMINATED: "SIGTERM",
    },
    "capacity": {
        ExitCode.PASS: "a rate is held; with `--at-least` that rate, at least",
        ExitCode.THRESHOLD_FAILED: "less is held than `--at-least` asks for, no rate is held, or a threshold failed",
        ExitCode.WRONG_DECISIONS: _WRONG,
        ExitCode.INVALID_MEASUREMENT: f"{_INVALID}, or not whether it holds what `--at-least` asks for",
        **_STOPPED,
    },
    "fuzz": {
        ExitCode.PASS: "nothing wrong was found",
        ExitCode.THRESHOLD_FAILED: "a threshold failed, or with `--against` something got worse",
        ExitCode.WRONG_DECISIONS: "there are findings that no baseline accepts, notes aside",
        ExitCode.INVALID_MEASUREMENT: f"{_INVALID}; for example no valid credential is let in",
        **_STOPPED,
    },
    "serve": {
        ExitCode.PASS: "ended by Ctrl-C or SIGTERM",
        ExitCode.INTERRUPTED: "Ctrl-C before it served",
        ExitCode.TERMINATED: "SIGTERM before it served",
    },
    "report": {
        ExitCode.PASS: "the run passed",
        ExitCode.THRESHOLD_FAILED: "a threshold of the run failed, or it is worse than what it was compared with",
        ExitCode.WRONG_DECISIONS: _WRONG,
        ExitCode.INVALID_MEASUREMENT: f"{_INVALID}; a run that was cut off is",
        ExitCode.INTERRUPTED: "the run was stopped by Ctrl-C (SIGINT), or in Locust's web page",
        ExitCode.TERMINATED: "the run was stopped by SIGTERM",
    },
    "replay": {
        ExitCode.PASS: "FIXED; of a case: the right answers, and always the same",
        ExitCode.WRONG_DECISIONS: "FAILED or FLAKY; of a case: a wrong answer, or more than one",
        ExitCode.INVALID_MEASUREMENT: "CANNOT TEST: nothing was answered, or the valid request is not let in either",
    },
    "export": _DONE,
    "baseline": {ExitCode.PASS: "done, or there is nothing to add"},
    "explain": _DONE,
    "init": _DONE,
    "doctor": {
        ExitCode.PASS: "fit for a run, perhaps with a word of caution",
        ExitCode.USAGE: "a mistake, or something would keep a run from working",
    },
    "plan": _DONE,
    "corpus": _DONE,
    "compare": _COMPARED,
    "trend": {
        ExitCode.PASS: "done; with `--check`, nothing got worse and stayed so",
        ExitCode.THRESHOLD_FAILED: "with `--check`: something got worse and stayed so",
    },
    "trend add": _DONE,
    "trend accept": _DONE,
}


def exit_codes(command: str) -> list[tuple[ExitCode, str]]:
    """Return the exit codes of a command, named without ``gatecrash``, in ascending order, and when each applies.

    Raises KeyError for a command whose exit codes nobody wrote down.
    """
    return sorted({**EVERYWHERE, **BY_COMMAND[command]}.items())
