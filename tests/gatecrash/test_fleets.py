"""The fleet of a spike: devices, cases, and what is told of them."""

import json

import pytest

from gatecrash.authorizers.samples import sample_path
from gatecrash.planning.plans import corpus_like, prepare_corpus, run_info
from gatecrash.reports.plan.facts import Fleet, PlanFacts
from gatecrash.scenarios.soak import SoakScenario
from gatecrash.scenarios.spike import SpikeScenario, fleet_of, with_fleet
from gatecrash.settings.settings import read_settings

MINTED = {
    "credentials.kind": "jwt",
    "credentials.algorithm": "HS256",
    "credentials.secret_file": str(sample_path("jwt_secret.txt")),
    "authorizer.handler": "mine.py",
    "load.rate": 10.0,
    "load.warm_up": 0.25,
    "spike.before": 1.0,
}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Reads settings with a fleet of so many devices."""
    monkeypatch.chdir(tmp_path)

    def read(fleet, **more):
        given = {key.replace("__", "."): value for key, value in more.items()}
        return read_settings(None, {**MINTED, "output.cache": str(tmp_path), "spike.fleet": fleet, **given})

    return read


def table_of(tmp_path, devices):
    rows = [{"username": f"d{n}", "password": f"p{n}", "client_id": f"d{n}"} for n in range(devices)]
    path = tmp_path / "devices.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"credentials__kind": "password", "credentials__table": str(path)}


def sizes(settings):
    made = with_fleet(settings)
    return made.credentials.identities, made.corpus.cases, made.corpus.devices


def test_a_fleet_has_a_device_and_a_case_for_each_connection_but_for_what_is_set(settings):
    assert sizes(settings(3000)) == (3000, 3000, "in_turn")
    assert sizes(settings(30)) == (50, 200, "in_turn")
    assert sizes(settings(3000, corpus__cases=20)) == (3000, 20, "in_turn")
    assert sizes(settings(3000, credentials__identities=400)) == (400, 400, "in_turn")
    assert sizes(settings(3000, corpus__devices="drawn")) == (3000, 3000, "drawn")
    assert SpikeScenario(settings(3000)).settings == with_fleet(settings(3000))
    assert SoakScenario(settings(3000)).settings == settings(3000)


def test_a_table_has_the_devices_that_it_has(settings, tmp_path):
    assert sizes(settings(3000, **table_of(tmp_path, 260))) == (None, 260, "in_turn")
    assert sizes(settings(230, **table_of(tmp_path, 260))) == (None, 230, "in_turn")


@pytest.mark.parametrize(("cases", "devices"), [(240, 240), (12, 12)])
def test_what_is_told_of_a_fleet_is_what_its_arrivals_send(settings, cases, devices):
    made = with_fleet(settings(240, corpus__cases=cases, corpus__valid_share=0.5))
    corpus = prepare_corpus(made, 60.0)
    # Three arrivals of the warm-up and ten more come before the fleet's.
    sent = [(13 + place) % len(corpus) for place in range(240)]
    assert fleet_of(made, corpus) == Fleet(
        devices=devices,
        requests=len({corpus.body(case) for case in sent}),
        attacks=sum(corpus.meta(case).family != "valid" for case in sent),
    )


def test_a_worker_whose_settings_name_no_number_of_devices_makes_the_fleet_of_its_master(settings):
    master = with_fleet(settings(230, corpus__minted_at=1_700_000_000))
    facts = run_info(master, prepare_corpus(master, 60.0), PlanFacts()).corpus
    assert facts.identities == 230
    worker = settings(1, output__cache="elsewhere")
    assert corpus_like(worker, facts).manifest.content_digest == facts.content_digest
