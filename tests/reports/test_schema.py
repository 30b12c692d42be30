import json

import jsonschema
import pytest

from gatecrash.reports.files import as_json
from gatecrash.reports.oracles.findings import Classification
from gatecrash.reports.oracles.rules import RULES, FindingKind
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import summarise
from tests.reports.fuzz_samples import NEW_MEMBERS, broken_fuzz_summary, clean_fuzz_summary, fuzz_summary
from tests.reports.samples import busy_summary, distributed_summary, empty_summary, good_recording, good_summary, run_of


@pytest.fixture(scope="module")
def validator():
    schema = as_json.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def stopped_summary():
    return summarise(run_of(good_recording(), complete=False, stopped_by="SIGINT", incidents=("odd",)))


SUMMARIES = [busy_summary, distributed_summary, good_summary, empty_summary, stopped_summary]
FUZZ_SUMMARIES = [fuzz_summary, clean_fuzz_summary, broken_fuzz_summary]


@pytest.mark.parametrize("make", [*SUMMARIES, *FUZZ_SUMMARIES], ids=lambda make: make.__name__)
def test_every_summary_meets_the_published_schema(validator, make):
    validator.validate(json.loads(as_json.render(Report(make()))))


def test_the_schema_refuses_what_is_no_summary(validator):
    value = json.loads(as_json.render(Report(good_summary())))
    for damaged in ({**value, "format": 2}, {**value, "more": 1}, {**value, "throttle_rate": 3}, {"format": 1}):
        assert not validator.is_valid(damaged)


def test_every_member_of_a_finding_and_of_a_campaign_is_described(validator):
    schema = validator.schema
    value = json.loads(as_json.render(Report(fuzz_summary())))
    finding = schema["$defs"]["finding"]["properties"]
    assert set(value["findings"][0]) == set(finding)
    assert set(value["findings"][0]["confirmation"]) == set(schema["$defs"]["confirmation"]["properties"])
    campaign = schema["$defs"]["campaign"]["properties"]
    assert set(value["campaign"]) == set(campaign)
    for name in ("phases", "controls", "coverage"):
        assert set(value["campaign"][name][0]) == set(campaign[name]["items"]["properties"])


def test_what_an_earlier_version_wrote_of_a_finding_still_meets_the_schema(validator):
    value = json.loads(as_json.render(Report(busy_summary())))
    value.pop("campaign")
    newer = ("kind", "danger", "remedy", "sources", "fingerprint", *NEW_MEMBERS)
    value["findings"] = [
        {name: member for name, member in finding.items() if name not in newer} for finding in value["findings"]
    ]
    validator.validate(value)


def test_the_schema_knows_every_rule_and_classification():
    schema = as_json.schema()
    finding = schema["$defs"]["finding"]["properties"]
    assert {rule.oracle.value for rule in RULES} <= set(finding["oracle"]["enum"])
    assert {rule.severity.label for rule in RULES} <= set(finding["severity"]["enum"])
    assert {kind.value for kind in FindingKind} == set(finding["kind"]["enum"])
    known = schema["$defs"]["confirmation"]["properties"]["classification"]["enum"]
    assert {classification.value for classification in Classification} == set(known)
