"""The CSV files, read back by the csv module, beside stats.json."""

import csv
import io
import json
import re

import pytest

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.files import as_csv, as_json
from gatecrash.reports.report import Report
from tests.reports.capacity_samples import capacity_summary
from tests.reports.fuzz_samples import fuzz_summary
from tests.reports.samples import busy_summary, distributed_summary, empty_summary, good_summary

SUMMARIES = [busy_summary, distributed_summary, good_summary, empty_summary, fuzz_summary, capacity_summary]
WRITERS = [as_csv.render_seconds, as_csv.render_latencies]


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("ascii"), newline=""), strict=True))


def number(cell):
    return float(cell) if cell else None


def near(value):
    return None if value is None else pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("make", SUMMARIES, ids=lambda make: make.__name__)
def test_each_second_says_what_stats_json_says(make):
    summary = make()
    told = json.loads(as_json.render(Report(summary)))["seconds"]
    read = rows(as_csv.render_seconds(summary))
    assert len(read) == len(told)
    for row, second in zip(read, told, strict=True):
        assert (int(row["second"]), row["warm_up"] == "true") == (second["second"], second["warm_up"])
        assert (int(row["planned"]), int(row["dropped"])) == (second["planned"], second["dropped"])
        counts = {outcome.value: int(row[outcome.value]) for outcome in Outcome}
        assert {outcome: count for outcome, count in counts.items() if count} == second["outcomes"]
        assert int(row["exchanges"]) == sum(counts.values())
        for name in (f"{kind}_p{percent}_ms" for kind in ("service_time", "response_time") for percent in (50, 95, 99)):
            assert number(row[name]) == near(second[name])
        assert number(row["wrong"]) == second["wrong"]


@pytest.mark.parametrize("make", SUMMARIES, ids=lambda make: make.__name__)
def test_each_distribution_says_what_stats_json_says(make):
    summary = make()
    told = json.loads(as_json.render(Report(summary)))["latencies"]
    read = rows(as_csv.render_latencies(summary))
    assert [(row["outcome"], row["kind"]) for row in read] == [
        (one["outcome"] or "answered", one["kind"]) for one in told
    ]
    for row, one in zip(read, told, strict=True):
        assert int(row["exchanges"]) == one["count"]
        assert row["too_few"].split() == one["too_few"]
        for name in ("mean_ms", "max_ms", *(f"{percent}_ms" for percent in one["intervals_ms"])):
            assert number(row[name]) == near(one[name])
        for percent, ends in one["intervals_ms"].items():
            assert [number(row[f"{percent}_{end}_ms"]) for end in ("low", "high")] == [near(end) for end in ends]


def test_the_busy_run_fills_what_the_quiet_ones_leave_empty():
    read = rows(as_csv.render_seconds(busy_summary()))
    assert sum(int(row["throttled"]) for row in read) > 0
    assert sum(int(row["dropped"]) for row in read) > 0
    assert {row["warm_up"] for row in read} == {"true", "false"}
    assert {row["outcome"] for row in rows(as_csv.render_latencies(busy_summary()))} >= {
        "answered",
        "allow",
        "throttled",
    }


@pytest.mark.parametrize("write", WRITERS)
def test_a_run_without_exchanges_has_the_header_alone(write):
    assert write(empty_summary()).count(b"\r\n") == 1


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("make", SUMMARIES, ids=lambda make: make.__name__)
def test_the_form_is_rfc_4180_and_no_cell_is_a_formula(write, make):
    content = write(make())
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    lines = list(csv.reader(io.StringIO(content.decode("ascii"), newline=""), strict=True))
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(set(lines[0])) == len(lines[0])
    for line in lines:
        for cell in line:
            assert re.fullmatch(r"([a-z][a-z0-9_]*( p[0-9_]+)*|[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?)?", cell), cell


def test_every_column_is_explained():
    for columns, write in zip((as_csv.SECOND_COLUMNS, as_csv.LATENCY_COLUMNS), WRITERS, strict=True):
        assert [name for name, _ in columns] == write(empty_summary()).decode().rstrip().split(",")
        assert all(meaning for _, meaning in columns)
