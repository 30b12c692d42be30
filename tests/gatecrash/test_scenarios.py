"""What the scenarios differ in before anything is fired."""

import pytest

from gatecrash.scenarios import SCENARIOS
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import client_of, describe_target, target_settings


def settings_of(**keys):
    sections = {"target": {"kind": "lambda", "function": "mine", "region": "eu-west-1"}}
    for key, value in keys.items():
        section, _, name = key.partition("__")
        sections.setdefault(section, {})[name] = value
    return Settings.model_validate(sections)


@pytest.mark.parametrize("kind", ["lambda", "iot"])
@pytest.mark.parametrize(
    ("scenario", "keys", "client"),
    [
        ("steady", {}, "boto3"),
        ("steady", {"load__rate": 300}, "boto3"),
        ("steady", {"load__rate": 301}, "wire"),
        ("steady", {"load__rate": 301, "load__model": "closed"}, "boto3"),
        ("steady", {"load__rate": 301, "target__client": "boto3"}, "boto3"),
        ("steady", {"target__endpoint_url": "http://127.0.0.1:4566"}, "wire"),
        ("soak", {"load__rate": 300}, "boto3"),
        ("soak", {"load__rate": 301}, "wire"),
        ("spike", {"spike__fleet": 3000, "spike__within": 10}, "boto3"),
        ("spike", {"spike__fleet": 20_000, "spike__within": 10}, "wire"),
        ("spike", {"spike__fleet": 10, "spike__within": 10, "load__rate": 301}, "wire"),
        ("spike", {"spike__fleet": 20_000, "spike__within": 10, "target__client": "boto3"}, "boto3"),
        # However high a search goes nobody knows before.
        ("capacity", {}, "wire"),
        ("capacity", {"capacity__max_rate": 301}, "wire"),
        ("capacity", {"capacity__max_rate": 300}, "boto3"),
        ("capacity", {"target__client": "boto3"}, "boto3"),
    ],
)
def test_the_client_is_chosen_by_the_highest_rate_that_a_scenario_plans(kind, scenario, keys, client):
    # A search of what AWS allows of TestInvokeAuthorizer is refused, whatever its client were.
    here = {"target__endpoint_url": "http://127.0.0.1:4566"} if scenario == "capacity" and kind == "iot" else {}
    settings = settings_of(**{"target__kind": kind, **keys})
    rate = SCENARIOS[scenario](settings_of(**{"target__kind": kind, **keys, **here})).highest_rate
    assert client_of(settings, rate) == client
    target = target_settings(settings, rate)
    assert target["kind"].endswith("_wire") is (client == "wire")
    assert describe_target(settings, target).client == client


def test_where_no_rate_is_given_that_of_the_load_counts():
    assert client_of(settings_of(load__rate=301)) == "wire"
    assert client_of(settings_of(load__rate=301, load__model="closed")) == "boto3"
