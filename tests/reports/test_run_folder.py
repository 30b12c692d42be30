from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.run.folder import RunFolder, RunState, write_atomically
from gatecrash.reports.run.summary import summarise
from tests.reports.samples import HOSTILE, INFO, busy_run, good_recording

NOW = datetime(2025, 1, 2, 4, 4, 5, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "runs", "steady", NOW)


def test_the_name_has_the_utc_time_and_a_number_when_taken(tmp_path):
    names = [RunFolder.create(tmp_path, name, NOW).path.name for name in ("steady", "steady", "../a b", "..")]
    start = "20250102T030405Z"
    assert names == [f"{start}-steady", f"{start}-steady-2", f"{start}-a-b", f"{start}-run"]


def test_a_run_round_trips(folder):
    run = busy_run()
    folder.write_info(run.info)
    folder.checkpoint(run.recording, run.state)
    folder.write_findings(run.findings)
    again = RunFolder(folder.path).load()
    assert again.recording.encode() == run.recording.encode()
    assert (again.info, again.state) == (run.info, run.state)
    assert summarise(again) == summarise(run)
    assert [finding.to_json() for finding in again.findings] == [finding.to_json() for finding in run.findings]


def test_a_new_judgement_replaces_the_old_one(folder):
    run = busy_run()
    folder.write_info(INFO)
    folder.write_findings(run.findings)
    folder.write_findings(run.findings[:1])
    assert [path.name for path in (folder.path / "findings").iterdir()] == ["001-GC101.json"]


def test_hostile_names_are_kept(folder):
    folder.write_info(replace(INFO, name=HOSTILE))
    assert folder.load().info.name == HOSTILE


def test_before_the_first_checkpoint_a_run_is_empty(folder):
    folder.write_info(INFO)
    assert folder.read_state() == folder.load().state == RunState()
    assert summarise(folder.load()).exchanges == 0


@pytest.mark.parametrize("checkpointed", [True, False])
def test_the_state_can_be_corrected_without_losing_what_was_recorded(folder, checkpointed):
    folder.write_info(INFO)
    run = busy_run()
    if checkpointed:
        folder.checkpoint(run.recording, RunState())
    folder.write_state(RunState(elapsed=3.0, workers=2, workers_lost=1))
    again = folder.load()
    assert again.state == folder.read_state() == RunState(elapsed=3.0, workers=2, workers_lost=1)
    assert again.recording.encode() == (run.recording if checkpointed else Recording()).encode()


def test_a_write_that_fails_leaves_the_old_content(folder, monkeypatch):
    target = folder.path / "file"
    write_atomically(target, b"old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"


def test_another_folder_is_named_as_such(tmp_path):
    with pytest.raises(UsageError, match=r"is not a run folder: it has no run\.json; name a folder"):
        RunFolder(tmp_path).load()
    with pytest.raises(UsageError, match="is not a run folder"):
        RunFolder(tmp_path / "missing").load()


@pytest.mark.parametrize("name", ["run.json", "recording.json", "findings/001-GC101.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b"null", b'{"state": {}, "counts": 1}'])
def test_a_damaged_file_is_a_sentence_never_a_stack_trace(folder, name, content):
    run = busy_run()
    folder.write_info(run.info)
    folder.checkpoint(Recording(), run.state)
    folder.write_findings(run.findings)
    (folder.path / name).write_bytes(content)
    with pytest.raises(UsageError, match=name):
        folder.load()


def test_a_damaged_histogram_is_a_sentence(folder):
    folder.write_info(INFO)
    folder.checkpoint(Recording(), RunState())
    path = folder.path / "recording.json"
    path.write_bytes(path.read_bytes().replace(b'"lag":"HIST', b'"lag":"XXXX'))
    with pytest.raises(UsageError, match=r"recording\.json is damaged"):
        folder.load()


def test_more_than_a_thousand_findings_keep_their_order(folder):
    (finding, *_) = busy_run().findings
    folder.write_info(INFO)
    folder.write_findings([replace(finding, exchanges=number) for number in range(1, 1003)])
    assert [found.exchanges for found in folder.load().findings] == [*range(1, 1003)]


def test_a_newer_format_says_so(folder):
    folder.write_info(replace(INFO, format=3))
    with pytest.raises(UsageError, match="has format 3, this gatecrash reads format 2"):
        folder.read_info()


def test_a_file_in_the_way_is_a_sentence(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(UsageError, match="--runs"):
        RunFolder.create(tmp_path / "runs", "steady", datetime.now(UTC))


def test_a_checkpoint_counts_when_it_is_complete_and_leaves_nothing_when_it_fails(folder):
    folder.write_info(INFO)
    folder.checkpoint(Recording(), RunState(elapsed=1.0))
    before = sorted(folder.path.iterdir())
    seen = []

    def pause():
        seen.append(folder.read_state().elapsed)
        if len(seen) == 4:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        folder.checkpoint(good_recording(), RunState(elapsed=2.0), pause)
    assert sorted(folder.path.iterdir()) == before
    folder.checkpoint(good_recording(), RunState(elapsed=3.0), lambda: seen.append(folder.read_state().elapsed))
    assert set(seen) == {1.0}
    assert folder.load().state.elapsed == 3.0
    assert folder.load().recording.encode() == good_recording().encode()
    assert sorted(folder.path.iterdir()) == before
