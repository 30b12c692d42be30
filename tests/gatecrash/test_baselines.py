import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.app import app
from gatecrash.authorizers.errors import UsageError
from gatecrash.judging.baselines import parse_baseline, read_baseline, text_of, with_entries
from gatecrash.reports.oracles.baseline import Baseline, Entry, name_of
from gatecrash.reports.oracles.findings import Classification
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.run.folder import RunFolder
from gatecrash.settings.settings import read_settings
from tests.reports.fuzz_samples import found, fuzz_findings
from tests.reports.samples import HOSTILE

FILE = Path("baseline.toml")
HANDLERS = Path(__file__).resolve().parents[1] / "end_to_end" / "handlers"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.builds(lambda code, cause: f"{code} {cause}", st.sampled_from(["GC101", "GC604"]), TEXTS)


def entry(**members):
    members = {"finding": '"GC101 a"', "until": "2027-01-31", "reason": '"later"'} | members
    return "[[accepted]]\n" + "".join(f"{key} = {value}\n" for key, value in members.items() if value is not None)


def test_a_file_is_read():
    text = entry() + entry(finding='"GC401"', until='"2027-02-01"', reason=None)
    first, second = Entry("GC101 a", date(2027, 1, 31), "later"), Entry("GC401", date(2027, 2, 1))
    assert parse_baseline(text, FILE) == Baseline((first, second))
    assert parse_baseline("# nothing yet\n", FILE) == Baseline()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[accepted]\n", "baseline.toml is not TOML: Expected"),
        ("[[acepted]]\n", "baseline.toml: there is no 'acepted'; entries are written as [[accepted]]"),
        ("accepted = 5\n", "baseline.toml: accepted must be a list of tables, each written as [[accepted]]"),
        ("[accepted]\nfinding = 5\n", "baseline.toml: accepted must be a list of tables"),
        (entry() + entry(finding=None), "baseline.toml: entry 2: finding is missing: name it by its code and cause"),
        (entry(finding="5"), "baseline.toml: entry 1: finding is 5, but must be text"),
        (entry(finding='"unsigned"'), "entry 1: finding is 'unsigned', which doesn't begin with a code such as GC101"),
        (entry(finding='"GC999 a"'), "entry 1: finding is 'GC999 a', which doesn't begin with a code"),
        (entry(until=None), "baseline.toml: entry 1: until is missing: write the last day on which it is accepted"),
        (entry(until="5"), "baseline.toml: entry 1: until is 5, but must be a day such as 2027-01-31"),
        (entry(until='"2027-02-30"'), "entry 1: until is '2027-02-30', but must be a day such as 2027-01-31"),
        (entry(until='"2027-W04"'), "entry 1: until is '2027-W04', but must be a day"),
        (entry(until="2027-01-31T00:00:00Z"), "entry 1: until is 2027-01-31 00:00:00+00:00, but must be a day"),
        (entry(reason="5"), "baseline.toml: entry 1: reason is 5, but must be text"),
        (entry(untill="5"), "baseline.toml: entry 1 has a key 'untill'; did you mean until?"),
        (entry(zzz="5"), "baseline.toml: entry 1 has a key 'zzz'; there are finding, until, reason"),
    ],
)
def test_each_mistake_is_one_sentence(text, sentence):
    with pytest.raises(UsageError) as caught:
        parse_baseline(text, FILE)
    assert sentence in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"output\.baseline: there is no file .*; `gatecrash baseline RUN_FOLDER"):
        read_baseline(tmp_path / "baseline.toml")
    with pytest.raises(UsageError, match=r"output\.baseline: can't read .*: Is a directory"):
        read_baseline(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(UsageError, match="latin is no UTF-8 text"):
        read_baseline(tmp_path / "latin")


@given(st.lists(st.builds(Entry, NAMES, st.dates(), TEXTS)))
def test_entries_survive_their_file(entries):
    assert parse_baseline(text_of(entries), FILE) == Baseline(tuple(entries))


def test_a_cause_that_no_file_can_hold_is_written_in_another_form():
    hostile = replace(fuzz_findings()[0], cause=HOSTILE)
    text = text_of([Entry(name_of(hostile), date(2027, 1, 31))])
    assert tomllib.loads(text)["accepted"][0]["finding"] == name_of(hostile)
    text.encode()


def test_entries_are_added_once_and_what_was_there_stays(tmp_path):
    path = tmp_path / "baseline.toml"
    path.write_text("# ours\n" + entry().rstrip("\n"))
    there, new = Entry("GC101 a", date(2027, 1, 1)), Entry("GC401", date(2027, 1, 1))
    text, count = with_entries([there, new], path)
    assert text.startswith("# ours\n")
    assert count == 1
    assert [one.finding for one in parse_baseline(text, path).entries] == ["GC101 a", "GC401"]
    later = Entry("GC101 a", date(2028, 1, 1))
    assert with_entries([later], path)[1] == 1


def test_a_file_to_which_nothing_can_be_added_is_told(tmp_path):
    path = tmp_path / "baseline.toml"
    path.write_text('accepted = [{finding = "GC101", until = 2027-01-31}]\n')
    with pytest.raises(UsageError, match="is not TOML"):
        with_entries([Entry("GC401", date(2027, 1, 1))], path)


def test_the_file_is_meant_from_the_folder_of_the_settings_file(tmp_path):
    (tmp_path / "gatecrash.toml").write_text('[output]\nbaseline = "known.toml"\n')
    assert read_settings(tmp_path / "gatecrash.toml", {}).output.baseline == str(tmp_path / "known.toml")


def run_with(findings, folder):
    made = RunFolder.create(folder, "run", datetime.now(UTC))
    made.write_info(RunInfo("run", "2026-11-23T12:00:00+00:00", 1, PlanFacts(), TargetFacts(), CorpusFacts(), {}))
    made.write_findings(findings)
    return str(made.path)


def test_the_failing_findings_of_a_run_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = run_with(fuzz_findings(), tmp_path)
    until = datetime.now(UTC).date() + timedelta(days=1)
    assert app(["baseline", path, "--until", str(until), "--reason", "later"]) == 0
    entries = read_baseline(tmp_path / "baseline.toml").entries
    failing = [one for one in fuzz_findings() if one.rule.severity.label != "note" and one.accepted_until is None]
    assert {one.finding for one in entries} == {name_of(one) for one in failing}
    assert {(one.until, one.reason) for one in entries} == {(until, "later")}
    assert f"Added {len(entries)} findings to baseline.toml" in capsys.readouterr().out
    assert app(["baseline", path, "--until", str(until)]) == 0
    assert "Nothing to add to baseline.toml" in capsys.readouterr().out


def test_a_day_that_is_past_is_refused(tmp_path, capsys):
    path = run_with([found(Classification.FLAKY, 1, 2)], tmp_path)
    assert app(["baseline", path, "--until", "2020-02-29", "--output", str(tmp_path / "baseline.toml")]) == 2
    assert capsys.readouterr().err == "gatecrash: --until 2020-02-29 is past: name a day to come\n"
    assert app(["baseline", path, "--until", "tomorrow"]) == 2
    assert not (tmp_path / "baseline.toml").exists()


def test_a_place_that_can_not_be_written_is_told(tmp_path, capsys):
    path = run_with([found(Classification.FLAKY, 1, 2)], tmp_path)
    assert app(["baseline", path, "--until", "9999-12-31", "--output", str(tmp_path / "none" / "baseline.toml")]) == 2
    assert "--output: can't write" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "fuzz"])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "output.baseline: there is no file baseline.toml"),
        ("[[accepted]]\nfinding = 5\n", "baseline.toml: entry 1: finding is 5, but must be text"),
    ],
)
def test_a_broken_baseline_is_told_before_anything_is_fired(tmp_path, monkeypatch, capsys, command, text, sentence):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        FILE.write_text(text)
    handler, table = str(HANDLERS / "correct.py"), str(HANDLERS.parent / "devices.jsonl")
    profile = ["--credentials", "password", "--table", table]
    assert app([command, "--handler", handler, *profile, "--baseline", "baseline.toml"]) == 2
    assert capsys.readouterr().err.startswith(f"gatecrash: {sentence}")
    assert not (tmp_path / "runs").exists()
