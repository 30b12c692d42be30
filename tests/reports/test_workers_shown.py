"""Each worker, its CPU and its silence are in every report; a run without a master has no such table."""

import io

import pytest
from rich.console import Console

from gatecrash.reports.html import report as as_html
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import RunFolder, RunState
from gatecrash.reports.text import summary as as_text
from gatecrash.reports.words import summary as words
from tests.reports.samples import HOSTILE, INFO, WORKERS, busy_run, distributed_summary, good_summary


def text_of(summary):
    file = io.StringIO()
    as_text.write(Report(summary), Console(file=file, width=240, no_color=True), "runs/one")
    return file.getvalue()


@pytest.mark.parametrize("render", [text_of, lambda summary: as_html.render(Report(summary), "runs/one").decode()])
def test_workers_are_shown_with_what_they_used(render):
    shown = render(distributed_summary())
    for wanted in ("worker 1 (host-a, process 11)", "1,700", "42.0 %", "18.0 s", "16.6 s", ", lost", "7.00 %"):
        assert wanted in shown
    assert "about 850 planned arrivals are missing" in " ".join(shown.split())
    assert HOSTILE not in shown
    assert "process 11" not in render(good_summary())


def test_without_a_master_there_are_no_rows():
    assert words.worker_rows(good_summary()) == []
    assert [row[0] for row in words.worker_rows(distributed_summary())][-1] == "master"


def test_facts_of_workers_survive_the_run_folder(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_info(INFO)
    state = RunState(elapsed=1.0, workers=2, workers_lost=1, worker_facts=WORKERS, master_cpu=0.5)
    folder.checkpoint(busy_run().recording, state)
    assert folder.load().state == state
    assert folder.read_state() == state
