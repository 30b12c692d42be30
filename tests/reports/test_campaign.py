import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.recording import codec
from gatecrash.reports.run.campaign import Campaign
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.run.verdict import ExitCode
from tests.reports.fuzz_samples import CAMPAIGN, broken_fuzz_summary, fuzz_findings, fuzz_run


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path, "fuzz", datetime(2025, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize("campaign", [CAMPAIGN, Campaign("jwt"), replace(CAMPAIGN, broken="nobody is let in")])
def test_a_campaign_survives_its_file(campaign):
    assert codec.from_json(json.loads(json.dumps(codec.to_json(campaign))), Campaign) == campaign


def test_a_fuzz_run_survives_its_folder(folder):
    run = fuzz_run(fuzz_findings())
    folder.write_info(run.info)
    folder.checkpoint(run.recording, run.state)
    folder.write_findings(run.findings)
    folder.write_campaign(CAMPAIGN)
    again = RunFolder(folder.path).load()
    assert (again.campaign, again.findings) == (run.campaign, run.findings)
    assert summarise(again).campaign == CAMPAIGN


def test_a_run_of_another_kind_has_no_campaign(folder):
    folder.write_info(fuzz_run([]).info)
    assert folder.load().campaign is None


@pytest.mark.parametrize("damage", ["{}", "[]", '{"credential": 5}', '{"credential": "jwt", "phases": 5}'])
def test_a_damaged_campaign_is_a_sentence(folder, damage):
    folder.write_info(fuzz_run([]).info)
    (folder.path / "campaign.json").write_text(damage)
    with pytest.raises(UsageError, match=r"campaign\.json is damaged"):
        folder.load()


def test_a_broken_run_is_invalid_and_says_why():
    verdict = broken_fuzz_summary().verdict
    assert (verdict.word, verdict.exit_code) == ("INVALID", ExitCode.INVALID_MEASUREMENT)
    assert verdict.reasons == ("every valid credential was turned away before the first attack (deny)",)


def test_what_a_baseline_accepts_does_not_fail_a_run():
    accepted = [replace(finding, accepted_until="2026-12-31") for finding in fuzz_findings()]
    assert summarise(fuzz_run(accepted)).verdict.exit_code is ExitCode.PASS
    one_left = [*accepted[1:], replace(accepted[0], accepted_until=None)]
    assert summarise(fuzz_run(one_left)).verdict.exit_code is ExitCode.WRONG_DECISIONS
