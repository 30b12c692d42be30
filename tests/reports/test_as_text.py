import io
from dataclasses import replace

import pytest
from rich.console import Console

from gatecrash.reports.plan.facts import CorpusFacts
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.text import summary as as_text
from tests.reports.samples import HOSTILE, busy_summary, empty_summary, good_recording, good_summary, run_of

FOLDER = "runs/20250102T030405Z-steady"


def text_of(summary, *, width=80, folder=FOLDER, **options):
    file = io.StringIO()
    as_text.write(Report(summary), Console(file=file, width=width, no_color=True), folder, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def busy():
    return text_of(busy_summary())


def test_the_verdict_comes_first_with_its_reasons(busy):
    lines = busy.splitlines()
    assert lines[0] == "FAIL  The authorizer gave wrong, inconsistent or faulty answers. (exit code 3)"
    assert "GC101 allowed what must be denied (family/alg_none)" in lines[1]
    assert busy.index("GC301 handler failed") < busy.index("Measurement degraded")


def test_both_latencies_are_named(busy):
    assert "Latency: service time, in ms" in busy
    assert "Latency: response time from the intended start, in ms" in busy
    assert "p99.9" in busy


def test_percentiles_that_rest_on_too_few_exchanges_are_marked_and_the_intervals_given():
    text = text_of(good_summary(), width=200)
    (row,) = [line for line in text.splitlines() if line.strip().startswith("all answered")][:1]
    assert row.count("~") == 2
    assert "~ fewer than 10 exchanges lie above it: too few to rely on" in text
    sentence = "With 95 % confidence, of all answered: p50 10.0 to 10.0, p95 10.0 to 10.0, p99 from 10.0 on, p99.9 from"
    assert sentence in text


@pytest.mark.parametrize(
    "wanted",
    [
        "sample-authorizer (local:",
        "100.0 arrivals/s",
        "99.9 exchanges/s over 30.0 s",
        "4 of 3,000 planned",
        "of exchanges",
        "9f86d081884c",
        "[danger]",
        "expected: deny",
        "6 x allow: principal sensor1",
        "3 x deny",
        "6 exchanges, 1 distinct request",
        f"gatecrash replay {FOLDER} --finding 3",
    ],
)
def test_what_a_person_looks_for_is_there(busy, wanted):
    assert wanted in busy


def test_it_fits_a_narrow_terminal_and_is_plain_when_piped(busy):
    commands = ("   replay ", "   export ")
    assert all(len(line) <= 80 for line in busy.splitlines() if not line.startswith(commands))
    assert "\x1b" not in busy


def test_a_replay_command_is_never_wrapped_or_cropped():
    folder = "runs/" + "long-name" * 20
    assert f"gatecrash replay {folder} --finding 1\n" in text_of(busy_summary(), folder=folder)


def test_hostile_text_is_shown_not_obeyed(busy):
    joined = "".join(line.strip() for line in busy.splitlines())
    assert "<script>alert(1)</script>" in joined
    assert "[bold]" in busy
    assert r"\u202e" in busy
    assert r"\ud800" in busy
    busy.encode("utf-8")


def test_a_hostile_run_name_and_reason_cannot_steer_the_terminal():
    summary = good_summary()
    hostile = replace(
        summary,
        info=replace(summary.info, name=HOSTILE, corpus=CorpusFacts()),
        verdict=replace(summary.verdict, reasons=(HOSTILE,)),
    )
    shown = text_of(hostile)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]" in shown


def test_nothing_wrong_is_said_with_its_bound():
    shown = " ".join(text_of(good_summary()).split())
    assert shown.startswith("PASS Nothing wrong was seen.")
    assert "no wrong decision in 300: with 95 % confidence fewer than 1.00 % are wrong (rule of three)" in shown
    assert "Findings: none" in shown


def test_a_stopped_run_without_findings_gives_the_bound_too():
    shown = text_of(summarise(run_of(good_recording(), complete=False, stopped_by="SIGINT")))
    assert shown.startswith("STOPPED")
    assert "rule of three" in shown


def test_a_bound_of_everything_is_not_called_a_bound():
    assert "too few to bound" in text_of(summarise(run_of(good_recording(2))))


def test_an_empty_run_is_invalid_and_says_why_once():
    shown = text_of(empty_summary())
    assert shown.startswith("INVALID")
    assert shown.count("no exchange was measured") == 1
    assert "nan" not in shown.lower()


def test_many_findings_are_cut_with_their_number():
    assert "and 2 more findings: see the report" in text_of(busy_summary(), findings_shown=1)


def test_colours_are_used_on_a_terminal():
    file = io.StringIO()
    as_text.write(Report(good_summary()), Console(file=file, force_terminal=True, color_system="standard"), FOLDER)
    assert "\x1b[1;32mPASS" in file.getvalue()
