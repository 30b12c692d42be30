"""`gatecrash compare` and `--against` as a person uses them."""

import json
from functools import partial

import pytest

from tests.end_to_end.command import HANDLERS, PASSWORDS, gatecrash, gatecrash_in_process, side_by_side

LOAD = ("--duration", "9", "--warm-up", "0.5", "--rate", "50", "--cases", "20")
OUTPUTS = ("--output", "page.html", "--output", "numbers.json", "--output", "summary.md")
HALF = ("--set", "corpus.valid_share=0.5")


def run(folder, latency, *arguments):
    script = f"target.script={{latency = {latency}}}"
    return gatecrash(folder, "run", "--target", "scripted", "--set", script, *PASSWORDS, *LOAD, *arguments)


def folders(folder):
    return sorted((folder / "runs").iterdir())


def two_nights(folder):
    """Two nights of a job that compares with the night before; the authorizer got slower in between.

    By so much that a busy machine adds little beside it.
    """
    valid = ("--set", "corpus.valid_share=1.0", "--against", "last-good")
    return folder, run(folder, 0.004, *valid), run(folder, 0.25, *valid, "--keep", "1")


def two_versions(folder):
    """Two versions of a handler, compared in both directions."""
    handlers = [f"{HANDLERS / name}:handler" for name in ("correct.py", "opens.py")]
    command = ("compare", *PASSWORDS, "--cases", "20", *HALF, "--seconds", "3")
    return [gatecrash(folder, *command, "--handler", one, "--with", other) for one, other in (handlers, handlers[::-1])]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    jobs = (two_nights, two_versions)
    return side_by_side(*(partial(job, tmp_path_factory.mktemp(job.__name__)) for job in jobs))


@pytest.fixture(scope="module")
def nights(made):
    return made[0]


def test_the_first_night_has_nothing_to_compare_with_and_says_so(nights):
    _, first, _ = nights
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Compared  with none: there is no earlier run named run that last-good could stand for" in first.stdout


def test_a_run_that_is_worse_than_the_last_good_one_ends_with_exit_code_one(nights):
    folder, _, second = nights
    assert second.returncode == 1, second.stdout + second.stderr
    assert "It is worse than the earlier run" in second.stdout
    assert "the p95 of the response time from the intended start rose by" in " ".join(second.stdout.split())
    # The last good run stays, though one folder alone is to be kept.
    earlier, later = folders(folder)
    kept = json.loads((later / "comparison.json").read_text())
    assert kept["earlier"]["place"].endswith(earlier.name)
    assert json.loads((later / "stats.json").read_text())["verdict"]["exit_code"] == 1
    assert 'id="comparison"' in (later / "report.html").read_text()
    assert not (earlier / "comparison.json").exists()


def test_the_report_says_the_same_when_it_is_rendered_again(nights):
    folder, _, _ = nights
    later = folders(folder)[1]
    before = json.loads((later / "comparison.json").read_text())
    assert gatecrash_in_process(folder, "report", later.relative_to(folder)).returncode == 1
    assert json.loads((later / "comparison.json").read_text()) == before


def test_run_folders_are_compared_with_a_page_and_numbers(nights):
    folder, _, _ = nights
    earlier, later = folders(folder)
    done = gatecrash_in_process(folder, "compare", earlier, later, *OUTPUTS)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (folder / "summary.md").read_text().startswith("## gatecrash comparison: WORSE\n")
    assert "WORSE" in done.stdout
    assert "target script.latency: 0.004 before, 0.25 now" in done.stdout
    assert "comparison-time-response-time-plot" in (folder / "page.html").read_text()
    assert json.loads((folder / "numbers.json").read_text())["direction"] == "worse"
    assert gatecrash_in_process(folder, "compare", later, earlier).returncode == 0
    assert gatecrash_in_process(folder, "compare", "last-good", later).returncode == 1


def test_a_case_is_fired_again_by_its_number(nights):
    folder, _, _ = nights
    done = gatecrash_in_process(folder, "replay", folders(folder)[1], "--case", "3", "--times", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "RIGHT: allow was expected"
    none = gatecrash_in_process(folder, "replay", folders(folder)[1], "--case", "20")
    assert none.returncode == 2
    assert none.stderr == "gatecrash: --case 20: the run's corpus has the cases 0 to 19\n"


def test_what_can_not_be_compared_is_refused_and_the_run_keeps_its_own_result(nights, tmp_path):
    folder, _, _ = nights
    earlier = folders(folder)[0]
    done = run(
        tmp_path, 0.004, "--set", "corpus.valid_share=1.0", "--rate", "40", "--duration", "1", "--against", earlier
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT COMPARED" in done.stdout
    assert "the rate is not the same: 50 before, 40 now" in done.stdout
    refused = gatecrash_in_process(folder, "compare", earlier, folders(tmp_path)[0])
    assert refused.returncode == 2
    assert "the rate is not the same: 50 before, 40 now" in refused.stdout


def test_two_versions_of_a_handler_are_fired_at_by_turns(made):
    worse, better = made[1]
    assert worse.returncode == 1, worse.stdout + worse.stderr
    assert "now allowed" in worse.stdout
    assert "new finding: GC101" in worse.stdout
    assert better.returncode == 0, better.stdout + better.stderr
    assert "gone: GC101" in better.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("compare",), "0 run folders are named, but two are compared"),
        (("compare", "a", "b"), "b is not a run folder: it has no run.json"),
        (("compare", "a", "--with", "x.py:handler"), "no run folder can be named: leave a out"),
        (("compare", "--with", "x.py:handler", "--target", "scripted"), "target.kind is scripted"),
        (
            ("compare", "a", "b", "--output", "page.pdf"),
            "--output page.pdf: end the name in .html for a page, in .json for the numbers or in .md",
        ),
        (("run", "--against", "nowhere"), "nowhere is not a run folder"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, arguments, sentence):
    done = gatecrash_in_process(tmp_path, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
