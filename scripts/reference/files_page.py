"""docs/reference/files.md: what lies in a run folder. The words are written here; names and members are the code's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatecrash.judging.comparisons import COMPARISON
from gatecrash.judging.judge import JUNIT, LATENCIES, MARKDOWN, SECONDS
from gatecrash.reports.course.memory import MEMORY
from gatecrash.reports.files import as_csv, as_json
from gatecrash.reports.live.metrics_settings import METRICS_LOG
from gatecrash.reports.recording.workers import WORKERS_LOG
from gatecrash.reports.run.folder import CAMPAIGN, CAPACITY, FINDINGS, RECORDING, REPORT, RUN, STATISTICS
from gatecrash.reports.run.progress import PROGRESS
from gatecrash.running.locust_process import ERRORS, LOG, PLAN
from scripts.reference.markdown import code, page, prose, table


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file of a run folder: its name, its form, which runs have it, what it is for."""

    name: str
    form: str
    of: str
    what: str


_ALL: Final = "every run"
_STATS_SCHEMA: Final = "reports/schemas/stats.schema.json"
# Rendered: `gatecrash report` makes these anew from the others.
RENDERED: Final = (
    RunFile(REPORT, "HTML", _ALL, "the report: one file, nothing is loaded from elsewhere"),
    RunFile(MARKDOWN, "Markdown of GitHub", _ALL, "the verdict and what it rests on, for a job's summary"),
    RunFile(JUNIT, "JUnit's XML", _ALL, "a test case for the measurement, each threshold, each family of oracles"),
    RunFile(STATISTICS, f"JSON, by `{_STATS_SCHEMA}`", _ALL, "every number; [its members](#statsjson)"),
    RunFile(SECONDS, "CSV", _ALL, "a row a second; [its columns](#secondscsv)"),
    RunFile(LATENCIES, "CSV", _ALL, "a row for each outcome and kind of latency; [its columns](#latenciescsv)"),
    RunFile(
        f"{FINDINGS}/NNN-CODE.json",
        f"JSON, by `finding` in `{_STATS_SCHEMA}`, without danger, remedy and sources",
        "every run with findings",
        "a finding: masked request, answers, and the recipe that `gatecrash replay` makes the request from",
    ),
    RunFile(
        COMPARISON,
        "JSON, by `reports/schemas/comparison.schema.json`",
        "runs with `--against`",
        "what got better and what got worse",
    ),
)
RECORDED: Final = (
    RunFile(RUN, "JSON", _ALL, "name, start, settings, plan, target, seed, the corpus's digests, versions"),
    RunFile(
        RECORDING,
        "JSON, in columns",
        _ALL,
        "what was recorded, written every two seconds, less often where that takes longer; it outlives a kill",
    ),
    RunFile(CAMPAIGN, "JSON, by `campaign` in the same schema", "fuzz runs", "phases, controls, coverage"),
    RunFile(CAPACITY, "JSON, by `capacity` in the same schema", "capacity searches", "every rate that was fired"),
    RunFile(
        MEMORY, "JSON", "runs that Locust fired", "the memory of each process of the run on this machine over time"
    ),
)
OF_LOCUST: Final = (
    RunFile(PLAN, "JSON", "runs that Locust fired", "what Locust was told; it holds no secrets"),
    RunFile(LOG, "text", "runs that Locust fired", "what Locust logged; its errors are in `locust.log.errors`"),
    RunFile(ERRORS, "text", "runs that Locust fired", "what Locust wrote to its standard error"),
    RunFile(PROGRESS, "JSON", "runs that Locust fired", "how far it had got, for the terminal"),
    RunFile(WORKERS_LOG, "text", "runs with `--master`", "who joined, and who was refused or came late"),
    RunFile(METRICS_LOG, "text", "runs with live metrics", "where they are to be had, and what went wrong with them"),
)
FILES: Final = (*RENDERED, *RECORDED, *OF_LOCUST)

_OPENING: Final = """
`runs/<UTC time>-<name>/` holds all of a run, and no token, key or password. What is *rendered* is made of what was
*recorded*, again and again: `gatecrash report RUN_FOLDER`. The forms of `stats.json`, `comparison.json` and the CSV
files are stable: members and columns are added, never renamed or taken away. What is recorded may change with the
version: `format` in `run.json` says of which form it is, and one that can't be read is refused in a sentence.

The complete requests of a run are secrets: they lie in the corpus, in the user's cache
(`~/.cache/gatecrash/corpora`, or `--cache`).
"""


def render() -> bytes:
    """Return the page's content."""
    return page("Files of a run folder", _lines())


def _lines() -> Iterator[str]:
    yield from _OPENING.strip("\n").splitlines()
    yield ""
    for title, files in (("Rendered", RENDERED), ("Recorded", RECORDED), ("Of Locust", OF_LOCUST)):
        yield f"## {title}"
        yield ""
        rows = [(code(file.name), prose(file.form), file.of, file.what) for file in files]
        yield from table(("file", "form", "of", "what"), rows)
    yield f"## {STATISTICS}"
    yield ""
    yield f"`{_STATS_SCHEMA}` describes every member, also those within these:"
    yield ""
    schema = as_json.schema()
    members = [
        (code(name), _type(member), prose(_described(member, schema))) for name, member in schema["properties"].items()
    ]
    yield from table(("member", "type", "what"), members)
    for name, columns in ((SECONDS, as_csv.SECOND_COLUMNS), (LATENCIES, as_csv.LATENCY_COLUMNS)):
        yield f"## {name}"
        yield ""
        yield "Comma-separated values by RFC 4180, with a header. An empty cell has no value."
        yield ""
        yield from table(("column", "what"), [(code(column), prose(meaning)) for column, meaning in columns])


def _type(member: Mapping[str, Any]) -> str:
    if "$ref" in member:
        return "object"
    if "anyOf" in member or "oneOf" in member:
        return " or ".join(_type(choice) for choice in member.get("anyOf", member.get("oneOf", ())))
    if "const" in member:
        return code(member["const"])
    kind = member.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _described(member: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what a member is, in the words of the schema: its own, or those of what it refers to."""
    if "description" in member:
        return str(member["description"])
    for part in (member, *member.get("anyOf", ()), *member.get("oneOf", ()), member.get("items", {})):
        if "$ref" in part:
            return str(schema["$defs"][part["$ref"].rpartition("/")[2]].get("description", ""))
    return ""
