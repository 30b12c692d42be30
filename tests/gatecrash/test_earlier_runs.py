"""Which earlier run is taken to compare with, and which run folders are removed."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gatecrash.judging.comparisons import earlier_run
from gatecrash.judging.earlier_runs import EarlierRun, earlier_runs, removable, remove_old
from gatecrash.reports.run.folder import CAMPAIGN, RunFolder
from gatecrash.reports.trend.history import History, HistoryRun
from gatecrash.settings.settings import Settings
from tests.reports.samples import INFO, good_summary


def info_of(night, name="nightly", **settings):
    return replace(INFO, name=name, started_at=f"2026-11-{night:02}T02:00:00+00:00", settings=settings)


def place_of(runs, night):
    return runs / f"202611{night:02}T020000Z-nightly"


def made(runs, night, exit_code=0, validity="valid", name="nightly", **changes):
    """Make the folder of a run that came to an exit code; None is one that is under way."""
    place = place_of(runs, night)
    place.mkdir(parents=True)
    RunFolder(place).write_info(replace(info_of(night, name), **changes))
    if exit_code is not None:
        value = {"exchanges": 9, "validity": {"word": validity}, "verdict": {"exit_code": exit_code}}
        (place / "stats.json").write_text(json.dumps(value))
    return place


def accept(path, place, night, exit_code):
    with History(path, create=True) as history:
        run = HistoryRun(str(place), info_of(night), "run", "", "valid", "", "FAIL", exit_code)
        history.add(run)
        history.accept(run, "meant")


def test_the_last_good_run_is_the_newest_that_passed(tmp_path):
    good = made(tmp_path, 1)
    made(tmp_path, 2, 1)
    bad = made(tmp_path, 3, 3)
    made(tmp_path, 4, 4, "invalid")
    made(tmp_path, 5, None)
    made(tmp_path, 6, 0, name="another")
    made(tmp_path, 7, 0, plan=replace(INFO.plan, rate=1.5))
    tonight = (place_of(tmp_path, 8), info_of(8))
    assert earlier_run("last-good", *tonight) == good
    assert earlier_run("last", *tonight) == bad
    assert earlier_run(str(bad), *tonight) == bad
    assert earlier_run("last-good", place_of(tmp_path, 1), info_of(1)) is None


def test_a_run_that_was_accepted_counts_as_good_unless_it_had_findings(tmp_path):
    history = tmp_path / "history.sqlite"
    made(tmp_path, 1)
    slower, wrong = made(tmp_path, 2, 1), made(tmp_path, 3, 3)
    accept(history, slower, 2, 1)
    accept(history, wrong, 3, 3)
    settings = {"trend": {"history": str(history)}}
    assert earlier_run("last-good", place_of(tmp_path, 4), info_of(4, **settings)) == slower
    # Without the history nobody knows of it.
    assert earlier_run("last-good", place_of(tmp_path, 4), info_of(4)) == place_of(tmp_path, 1)


@pytest.mark.parametrize("text", [None, "no database at all " * 100])
def test_a_history_that_cannot_be_read_accepts_nothing(tmp_path, text):
    good, history = made(tmp_path, 1), tmp_path / "history.sqlite"
    made(tmp_path, 2, 1)
    if text is not None:
        history.write_text(text)
    settings = {"trend": {"history": str(history)}}
    assert earlier_run("last-good", place_of(tmp_path, 3), info_of(3, **settings)) == good
    assert history.exists() == (text is not None)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"exchanges": 3, "verdict": 0, "validity": []}'])
def test_a_damaged_folder_is_no_good_run(tmp_path, text):
    (made(tmp_path, 1) / "stats.json").write_text(text)
    assert earlier_run("last-good", place_of(tmp_path, 2), info_of(2)) is None


def removed(runs, keep, exit_code):
    """End the run of the tenth night, and return the nights that are left with what was said."""
    folder = made(runs, 10, exit_code)
    summary = replace(good_summary(), info=info_of(10))
    summary = replace(summary, verdict=replace(summary.verdict, exit_code=exit_code))
    told = io.StringIO()
    settings = Settings.model_validate({"output": {"keep": keep}})
    remove_old(settings, summary, folder, Console(file=told, width=200))
    return sorted(int(place.name[6:8]) for place in runs.iterdir()), told.getvalue()


def test_the_last_good_run_outlives_any_number_of_failing_ones(tmp_path):
    for night in range(1, 10):
        made(tmp_path, night, 0 if night <= 2 else 3)
    left, told = removed(tmp_path, 3, 3)
    assert left == [2, 8, 9, 10]
    assert told == "Removed  6 older runs named nightly: output.keep is 3\n"
    assert earlier_run("last-good", place_of(tmp_path, 11), info_of(11)) == place_of(tmp_path, 2)


def test_a_run_that_passed_takes_the_place_of_the_last_good_one(tmp_path):
    for night in range(1, 10):
        made(tmp_path, night, 0 if night == 1 else 3)
    assert removed(tmp_path, 1, 0)[0] == [10]


def test_what_is_of_another_name_or_command_or_under_way_stays(tmp_path):
    made(tmp_path, 1, 3, name="another")
    (made(tmp_path, 2, 3) / CAMPAIGN).write_text("{}")
    made(tmp_path, 3, None)
    place_of(tmp_path, 4).mkdir()
    made(tmp_path, 5, 3)
    assert removed(tmp_path, 1, 3)[0] == [1, 2, 3, 4, 10]


def test_without_a_number_everything_stays(tmp_path):
    made(tmp_path, 1)
    assert removed(tmp_path, None, 0) == ([1, 10], "")


def test_a_folder_that_cannot_be_removed_is_told(tmp_path):
    elsewhere, runs = tmp_path / "elsewhere", tmp_path / "runs"
    made(elsewhere, 1)
    runs.mkdir()
    # A link to a run folder is somebody's own: rmtree() refuses it.
    place_of(runs, 1).symlink_to(place_of(elsewhere, 1))
    left, told = removed(runs, 1, 0)
    assert left == [1, 10]
    assert told.startswith(f"Kept  {place_of(runs, 1)} could not be removed, though output.keep asks for it: ")
    assert "Removed" not in told


NIGHTS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=12)


@given(NIGHTS, st.integers(0, 6), st.booleans())
def test_whatever_goes_the_newest_and_the_last_good_run_stay(nights, keep, needs_good):
    runs = [
        EarlierRun(f"{number:03}", Path(str(number)), "run", comparable, finished, finished, finished and good)
        for number, (comparable, finished, good) in enumerate(nights)
    ]
    gone = removable(runs, keep, needs_good=needs_good)
    left = [run for run in runs if run not in gone]
    assert set(runs[len(runs) - min(keep, len(runs)) :]) <= set(left)
    assert all(run.is_finished for run in gone)
    assert sum(run.is_finished for run in left) <= keep + 2
    assert removable(left, keep, needs_good=needs_good) == []
    if needs_good:
        for fits in (lambda run: run.is_good, lambda run: run.is_good and run.is_comparable):
            assert [run for run in left if fits(run)][-1:] == [run for run in runs if fits(run)][-1:]


def test_only_what_came_before_is_an_earlier_run(tmp_path):
    made(tmp_path, 1)
    made(tmp_path, 3)
    assert [run.place for run in earlier_runs(place_of(tmp_path, 2), info_of(2))] == [place_of(tmp_path, 1)]
