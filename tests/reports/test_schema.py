import json

import jsonschema
import pytest

from reports import as_json
from reports.findings import RULES
from reports.summary import summarise
from tests.reports.samples import busy_summary, empty_summary, good_recording, good_summary, run_of


@pytest.fixture(scope="module")
def validator():
    schema = as_json.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def stopped_summary():
    return summarise(run_of(good_recording(), complete=False, stopped_by="SIGINT", incidents=("odd",)))


@pytest.mark.parametrize("make", [busy_summary, good_summary, empty_summary, stopped_summary], ids=str)
def test_every_summary_meets_the_published_schema(validator, make):
    validator.validate(json.loads(as_json.render(make())))


def test_the_schema_refuses_what_is_no_summary(validator):
    value = json.loads(as_json.render(good_summary()))
    for damaged in ({**value, "format": 2}, {**value, "more": 1}, {**value, "throttle_rate": 3}, {"format": 1}):
        assert not validator.is_valid(damaged)


def test_the_schema_knows_every_rule_and_is_described():
    finding = as_json.schema()["properties"]["findings"]["items"]["properties"]
    assert {rule.oracle.value for rule in RULES} <= set(finding["oracle"]["enum"])
    assert {rule.severity.label for rule in RULES} <= set(finding["severity"]["enum"])
