"""Every exit code of `gatecrash run` by the real command, and where those of the other commands are reached."""

import ast
from functools import partial
from pathlib import Path

import pytest

from gatecrash.reports.run.verdict import ExitCode
from scripts.reference.exit_codes import BY_COMMAND
from tests.end_to_end.command import (
    PASSWORDS,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    side_by_side,
    statistics,
)
from tests.end_to_end.test_exit_codes_of_commands import REACHED_HERE

HERE = Path(__file__).resolve().parent
SHORT = ("--duration", "1", "--warm-up", "0.2", "--rate", "50", "--cases", "20")
VALID = ("--set", "corpus.valid_share=1.0")
# The script lets everybody in, so any attack is a wrong decision.
ATTACKS = ("--set", "corpus.valid_share=0.5")
FAILS = ("--threshold", "exchanges < 1")
# One slot of 0.2 s holds five of the fifty arrivals a second: the others are dropped.
OVERLOADED = ("--users", "1", "--set", "load.patience=0.1")


def script(**values):
    return ("--target", "scripted", "--set", f"target.script={{{', '.join(f'{k}={v}' for k, v in values.items())}}}")


# Beside a tenth of a second what a busy machine adds is little.
QUICK, SLOW, THROTTLED = script(latency=0.1), script(latency=0.2), script(throttle_rate=1.0)


# What is asked of a run, its exit code, and the word of its verdict.
WORST_FIRST = {
    "1": ((*QUICK, *VALID, *FAILS), ExitCode.THRESHOLD_FAILED, "FAIL"),
    "4": ((*THROTTLED, *VALID), ExitCode.INVALID_MEASUREMENT, "INVALID"),
    "3 before 1": ((*QUICK, *ATTACKS, *FAILS), ExitCode.WRONG_DECISIONS, "FAIL"),
    "4 before 1": ((*SLOW, *VALID, *FAILS, *OVERLOADED), ExitCode.INVALID_MEASUREMENT, "INVALID"),
    "4 before 3 and 1": ((*SLOW, *ATTACKS, *FAILS, *OVERLOADED), ExitCode.INVALID_MEASUREMENT, "INVALID"),
}


def ended_run(folder, name):
    """Return the folder and the finished process."""
    return folder, gatecrash(folder, "run", *PASSWORDS, *SHORT, *WORST_FIRST[name][0])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    jobs = (partial(ended_run, tmp_path_factory.mktemp("run"), name) for name in WORST_FIRST)
    return dict(zip(WORST_FIRST, side_by_side(*jobs, at_once=2), strict=True))


@pytest.mark.parametrize("name", WORST_FIRST)
def test_a_run_ends_with_the_worst_that_applies_and_its_report_says_so_again(runs, name):
    folder, done = runs[name]
    arguments, code, word = WORST_FIRST[name]
    assert done.returncode == code, done.stdout + done.stderr
    found = statistics(folder)
    assert found["verdict"]["exit_code"] == code
    assert found["verdict"]["word"] == word
    assert any(one["standing"] == "failed" for one in found["thresholds"]) == (FAILS[0] in arguments)
    assert any(one["rule"] == "GC101" for one in found["findings"]) == (ATTACKS[1] in arguments)
    assert gatecrash_in_process(folder, "report", run_folder(folder)).returncode == code


def test_a_mistake_comes_before_all_else_and_nothing_is_fired(tmp_path):
    wrong = ("--threshold", "exchanges")
    done = gatecrash_in_process(tmp_path, "run", *PASSWORDS, *SHORT, *SLOW, *ATTACKS, *FAILS, *OVERLOADED, *wrong)
    assert done.returncode == ExitCode.USAGE
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


# Command and exit code, and the test that reaches it by the real command; None as module is this one.
WORST = "test_a_run_ends_with_the_worst_that_applies_and_its_report_says_so_again"
SIGNAL = "test_a_signal_ends_the_run_in_order_whatever_else_is_wrong_and_the_report_says_so_again"
REACHED = {
    ("run", 0): ("test_run", "test_a_correct_handler_passes_with_a_report"),
    ("report", 0): ("test_run", "test_the_report_can_be_rendered_again_from_the_folder_alone"),
    **{(command, code): (None, WORST) for command in ("run", "report") for code in (1, 3, 4)},
    **{(command, code): ("test_interruptions", SIGNAL) for command in ("run", "report") for code in (130, 143)},
    ("compare", 0): ("test_compare", "test_run_folders_are_compared_with_a_page_and_numbers"),
    ("compare", 1): ("test_compare", "test_run_folders_are_compared_with_a_page_and_numbers"),
    ("compare", 2): (
        "test_compare",
        "test_what_can_not_be_compared_is_refused_and_the_run_keeps_its_own_result",
    ),
    ("trend", 0): ("test_trend", "test_what_got_worse_over_the_nights_fails_a_check_until_it_is_accepted"),
    ("trend", 1): ("test_trend", "test_what_got_worse_over_the_nights_fails_a_check_until_it_is_accepted"),
    ("trend add", 0): (
        "test_trend",
        "test_a_run_adds_itself_removes_old_folders_and_is_brought_up_to_date_by_its_own",
    ),
    ("trend accept", 0): ("test_trend", "test_what_got_worse_over_the_nights_fails_a_check_until_it_is_accepted"),
    ("capacity", 0): ("test_capacity", "test_a_handler_behind_the_gateway_is_searched_up_to_a_highest_rate"),
    ("capacity", 1): ("test_capacity", "test_it_finds_what_a_bucket_lets_through"),
    ("fuzz", 0): ("test_fuzz", "test_without_arguments_the_sample_authorizer_is_found_to_be_right"),
    ("fuzz", 3): ("test_fuzz", "test_a_defect_is_told_once_and_again_when_the_report_is_made_anew"),
    ("fuzz", 4): ("test_fuzz", "test_wrong_credentials_are_no_finding_but_an_invalid_measurement"),
    ("fuzz", 130): ("test_fuzz", "test_a_signal_ends_the_firing_and_what_was_seen_is_reported"),
    ("replay", 4): ("test_fuzz", "test_a_replay_tells_mended_handlers_from_others"),
    ("replay", 0): (
        "test_run",
        "test_a_handler_that_opens_the_door_is_the_worst_finding_which_is_fixed_when_it_was_mended",
    ),
    ("replay", 3): (
        "test_run",
        "test_a_handler_that_decides_by_chance_fails_with_a_finding_that_can_be_replayed",
    ),
    ("worker", 0): ("test_namespaces", "test_a_run_over_two_machines"),
    ("worker", 2): ("test_workers", "test_a_worker_that_comes_late_is_sent_away_and_told"),
    ("worker", 4): ("test_namespaces", "test_a_cable_that_stays_out_ends_both_sides_and_is_never_green"),
    ("serve", 0): ("test_mistakes", "test_an_authorizer_that_is_not_there"),
    ("export", 0): ("test_exports", "test_a_boto3_script_shows_the_wrong_answer"),
    ("baseline", 0): ("test_exports", "test_what_a_baseline_accepts_passes_until_its_date"),
    ("plan", 0): ("test_fuzz", "test_plain_locust_fires_the_phases_of_a_plan"),
    ("corpus", 0): ("test_workers", "test_a_corpus_is_built_like_the_one_that_a_run_tells_of"),
    **dict.fromkeys(REACHED_HERE, ("test_exit_codes_of_commands", "test_a_command_ends_with_its_exit_code")),
}


def test_every_exit_code_of_every_command_is_reached():
    assert set(REACHED) == {(command, code) for command, codes in BY_COMMAND.items() for code in codes}


@pytest.mark.parametrize(("command", "code"), list(REACHED), ids=str)
def test_the_test_that_reaches_an_exit_code_is_there_and_the_reference_knows_the_code(command, code):
    assert code in BY_COMMAND[command]
    module, name = REACHED[command, code]
    path = HERE / f"{module or Path(__file__).stem}.py"
    assert name in {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
