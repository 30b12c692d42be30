"""What a run says of its target, as reports show it."""

from dataclasses import replace
from pathlib import Path

import pytest

from gatecrash.reports.plan.facts import TargetFacts
from gatecrash.reports.words.summary import target_words
from gatecrash.settings.settings import read_settings
from gatecrash.settings.targets import describe_target, target_settings
from tests.reports.samples import INFO

HERE = Path("authorizer.py").resolve()
HANDLER = {"authorizer.handler": "authorizer.py:handler"}
FUNCTION = {"target.kind": "lambda", "target.function": "my-function"}
ADDRESS = "https://user:a-secret@iot.example:8443/x@y"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"target.kind": "local", **HANDLER}, f"authorizer (local: {HERE}:handler), by the wire client"),
        (
            {"target.kind": "local", "authorizer.command": ["node", "my app.js"]},
            "authorizer (local: node 'my app.js'), by the wire client",
        ),
        ({"target.kind": "handler", **HANDLER}, f"handler: {HERE}:handler"),
        ({"target.kind": "iot", "authorizer.name": "mine"}, "mine (iot), by the wire client"),
        (
            {"target.kind": "iot", "authorizer.name": "mine", "target.region": "eu-west-1", "target.client": "boto3"},
            "mine (iot: eu-west-1), by the boto3 client",
        ),
        (
            {"target.kind": "iot", "target.endpoint_url": ADDRESS, "target.client": "wire"},
            "authorizer (iot: https://iot.example:8443/x@y), by the wire client",
        ),
        ({**FUNCTION, "target.client": "boto3"}, "my-function (lambda), by the boto3 client"),
        ({"target.kind": "scripted"}, "scripted"),
    ],
)
def test_every_kind_of_target_is_named_with_its_client(values, said):
    settings = read_settings(None, {"load.rate": 500.0, **values})
    target = describe_target(settings, target_settings(settings))
    assert target_words(replace(INFO, target=target)) == said


def test_an_unknown_target_and_one_that_wants_to_be_more_are_shown():
    assert target_words(replace(INFO, target=TargetFacts())) == "unknown"
    assert target_words(replace(INFO, target=TargetFacts("a\x1b\u202eb"))) == "a\\x1b\\u202eb"
