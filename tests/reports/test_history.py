import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.trend.history import History
from tests.reports.trend_samples import FLIPS, night


def test_runs_come_back_as_they_were_kept_in_the_order_of_their_starts(tmp_path):
    first, second = night(1, response_time__p95=40.5), replace(night(2, throttle_rate=0.01), findings=(FLIPS,))
    with History(tmp_path / "runs" / "history.sqlite", create=True) as history:
        assert history.add(second)
        assert history.add(first)
        history.accept(second, "on purpose")
    with History(tmp_path / "runs" / "history.sqlite") as history:
        assert history.runs() == [first, replace(second, accepted="on purpose")]


def test_a_run_that_is_judged_again_is_kept_once_and_stays_accepted(tmp_path):
    run = replace(night(1, throttle_rate=0.5), findings=(FLIPS,))
    again = replace(night(1, response_time__p50=3.0), validity="degraded", verdict="FAIL", exit_code=3)
    with History(tmp_path / "history.sqlite", create=True) as history:
        history.add(run)
        history.accept(run, "why")
        assert not history.add(again)
        assert history.runs() == [replace(again, accepted="why")]


def test_names_that_are_no_text_are_kept_as_well_as_can_be(tmp_path):
    run = replace(night(1), place="runs/\udcff", revision="\ud800")
    with History(tmp_path / "history.sqlite", create=True) as history:
        history.add(run)
        history.accept(run, "\ud801")
        (kept,) = history.runs()
    assert (kept.place, kept.revision, kept.accepted) == ("runs/\\udcff", "\\ud800", "\\ud801")


def test_processes_that_begin_and_add_at_once_lose_nothing(tmp_path):
    def add(number):
        with History(tmp_path / "history.sqlite", create=True) as history:
            history.add(night(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    with History(tmp_path / "history.sqlite") as history:
        assert len(history.runs()) == 24


def test_what_is_no_history_is_told_and_left_alone(tmp_path):
    text, other, newer = tmp_path / "notes.txt", tmp_path / "other.sqlite", tmp_path / "newer.sqlite"
    text.write_text("nothing of ours " * 100)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE theirs (one TEXT)")
    database.close()
    History(newer, create=True).close()
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = other.read_bytes()
    for path, sentence in (
        (tmp_path / "missing.sqlite", "there is no history"),
        (text, "file is not a database"),
        (other, "is a SQLite database, but no history of gatecrash"),
        (newer, "is a history of format 99, this gatecrash reads format 1"),
        (text / "history.sqlite", "can't make the folder of the history"),
    ):
        with pytest.raises(UsageError, match=sentence) as raised:
            History(path, create="missing" not in path.name)
        assert path.name in str(raised.value)
    assert other.read_bytes() == before
    assert not (tmp_path / "missing.sqlite").exists()
