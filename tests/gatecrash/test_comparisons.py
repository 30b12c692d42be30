"""Whether runs of real corpora fired the same cases, as their run.json tells it."""

import shutil

import pytest

from gatecrash.planning.plans import prepare_corpus, run_info
from gatecrash.reports.comparison.comparability import obstacles_of_plans, other_cases
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.settings.settings import read_settings
from tests.end_to_end.command import DEVICES

DEVICE = '{"username": "pump-99", "password": "lantern-meadow-18", "client_id": "pump-99"}\n'


@pytest.fixture
def night(tmp_path, monkeypatch):
    """A night of a job whose table lies in devices.jsonl; returns what run.json tells."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(DEVICES, "devices.jsonl")

    def told(**changed):
        values = {"credentials.kind": "password", "credentials.table": "devices.jsonl", "corpus.cases": 12}
        settings = read_settings(None, {**values, "target.kind": "scripted", **changed})
        corpus = prepare_corpus(settings, 1.0)
        info = run_info(settings, corpus, PlanFacts())
        corpus.close()
        return info

    return told


def test_two_nights_fire_the_same_cases(night):
    assert other_cases(night(), night()) is None


def test_a_device_that_is_added_makes_other_cases_which_are_compared_in_all_but_their_decisions(night, tmp_path):
    before = night()
    with (tmp_path / "devices.jsonl").open("a") as table:
        table.write(DEVICE)
    after = night()
    assert "of the same seed: the credentials changed" in other_cases(before, after)
    assert obstacles_of_plans(before, after) == []


def test_another_seed_is_what_is_told_of_another_seed(night):
    before, after = night(), night(**{"corpus.seed": 2})
    assert "the seed is not the same, 1 before and 2 now" in other_cases(before, after)


def test_another_number_of_cases_is_refused(night):
    (sentence,) = obstacles_of_plans(night(), night(**{"corpus.cases": 13}))
    assert sentence.startswith("the corpora are not the same: digest ")
