import json

from gatecrash.reports.files import as_json
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import summarise
from tests.reports.samples import (
    HOSTILE,
    allow,
    busy_summary,
    exchange,
    facts,
    good_summary,
    run_of,
)


def test_the_verdict_and_the_numbers_are_those_of_the_summary():
    summary = busy_summary()
    value = json.loads(as_json.render(Report(summary)))
    assert value["format"] == 1
    assert (value["verdict"]["word"], value["verdict"]["exit_code"]) == ("FAIL", 3)
    assert value["validity"]["word"] == "degraded"
    assert (value["exchanges"], value["dropped"], value["outcomes"]) == (2996, 4, summary.outcomes)
    assert value["run"]["seed"] == 7
    assert {row["kind"] for row in value["latencies"]} == {"service_time", "response_time"}
    assert value["latencies"][0]["p99_9_ms"] == summary.latencies[0].p99_9
    assert [(finding["number"], finding["rule"]) for finding in value["findings"]] == [
        (1, "GC101"),
        (2, "GC301"),
        (3, "GC401"),
    ]


def test_percentiles_have_their_intervals_and_say_when_they_rest_on_too_little():
    row = as_json.value_of(Report(good_summary()))["latencies"][0]
    assert row["count"] == 300
    low, high = row["intervals_ms"]["p50"]
    assert low <= row["p50_ms"] <= high
    assert row["intervals_ms"]["p99_9"][1] is None
    assert row["too_few"] == ["p99", "p99_9"]


def test_every_member_of_a_summary_is_there():
    value = as_json.value_of(Report(good_summary()))
    renamed = {"info": "run", "judgement": "validity"}
    assert {renamed.get(name, name) for name in type(good_summary()).__slots__} | {
        "format",
        "notes",
        "comparison",
    } == set(value)


def test_any_text_survives_as_ascii():
    recording = Recording()
    recording.add_exchange(exchange(allow()), tuple)
    recording.add_exchange(exchange(allow(principal="p2")), tuple)
    summary = summarise(run_of(recording, facts(mqttContext={"clientId": HOSTILE})))
    content = as_json.render(Report(summary))
    assert content.isascii()
    assert json.loads(content)["notes"][0]["request"]["mqttContext"]["clientId"] == HOSTILE
