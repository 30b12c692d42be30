"""The benchmark runs and prints all of its rows; how fast it is depends on the machine, and is not tested."""

import re

from tests.benchmarks.fuzzing import main

WAYS = ("gatecrash", "@given")
PARTS = {
    **{f"{name}: recipes drawn": WAYS for name in ("password", "api_key", "jwt RS256")},
    **{f"{name}: recipes expanded": WAYS[:1] for name in ("password", "api_key", "jwt RS256")},
    **{f"{name}: drawn and expanded": WAYS for name in ("password", "api_key", "jwt RS256")},
    "jwt RS256: signatures alone": WAYS[:1],
    "jwt RS256 without the time for signing: expanded": WAYS[:1],
    "jwt RS256 without the time for signing: drawn and expanded": WAYS,
    "requests that are there, fired": (
        "isolated process, pipelined",
        "isolated process, one at a time",
        "this process",
        "@given, this process",
    ),
    "drawn, expanded and fired": ("isolated process, 32 at a time", "this process", "@given, this process"),
}


def test_the_benchmark_prints_a_positive_rate_for_every_row(capsys):
    assert main(["--rounds=1", "--recipes=3", "--requests=5", "--any-core"]) == 0
    _, _, *lines = capsys.readouterr().out.splitlines()
    found, part = {}, None
    for line in lines:
        if not line.startswith(" "):
            part = found.setdefault(line, {})
            continue
        name, middle, _, _, ratio = re.split(r" {2,}", line.strip())
        part[name] = float(middle.replace(",", "")), ratio
    assert {title: tuple(rows) for title, rows in found.items()} == PARTS
    assert all(rate > 0 for rows in found.values() for rate, _ in rows.values())
    assert all(ratio == "1.0" for rows in found.values() for name, (_, ratio) in rows.items() if "@given" in name)
