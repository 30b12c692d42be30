import json
from dataclasses import replace

import pytest

from gatecrash.reports.oracles.findings import Classification, Confirmation, Finding
from gatecrash.reports.oracles.rules import RULES
from tests.reports.fuzz_samples import NEW_MEMBERS, found, fuzz_findings


def stored(finding):
    return json.loads(json.dumps(finding.to_json()))


@pytest.mark.parametrize("finding", fuzz_findings(), ids=lambda finding: finding.sentence)
def test_a_finding_survives_its_file(finding):
    assert Finding.from_json(stored(finding)) == finding


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_finding_of_every_rule_survives_its_file(rule):
    finding = replace(found(Classification.FLAKY, 1, 2), rule=rule)
    assert Finding.from_json(stored(finding)) == finding


def test_a_finding_of_an_earlier_version_has_the_defaults_of_what_it_lacks():
    plain = stored(found(Classification.FLAKY, 1, 2))
    older = Finding.from_json({name: value for name, value in plain.items() if name not in {*NEW_MEMBERS, "kind"}})
    assert (older.description, older.source, older.also, older.phases) == ("", "", (), ())
    assert (older.first_exchange, older.confirmation, older.shrunk, older.size) == (None, None, False, None)
    assert (older.accepted_until, older.measured) == (None, "")
    assert older.cause == "a token without an algorithm is believed"


def test_a_finding_is_known_to_a_baseline_by_its_rule_and_cause():
    finding = found(Classification.FLAKY, 1, 2)
    assert finding.fingerprint == "GC101 a token without an algorithm is believed"
    assert replace(finding, cause="").fingerprint == "GC101"


def test_a_confirmation_has_the_interval_of_its_share():
    confirmation = Confirmation.of(Classification.FLAKY, 7, 2000)
    assert (confirmation.times, confirmation.violations, confirmation.after) == (2000, 7, 0)
    assert (confirmation.low, confirmation.high) == pytest.approx((0.001696, 0.007208), abs=2e-6)
