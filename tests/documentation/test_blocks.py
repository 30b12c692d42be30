"""What stands in the pages: files that gatecrash reads, links that lead somewhere, commands that a test knows."""

import csv
import io
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from gatecrash.judging.baselines import parse_baseline
from gatecrash.reports.files import as_csv
from gatecrash.reports.trend.metrics import TrendLimits
from gatecrash.reports.trend.trend import trend_of
from gatecrash.settings.settings import read_settings
from tests.documentation import exceptions
from tests.documentation.pages import ROOT, Block, all_commands, blocks_of, page_names, tokens_of
from tests.documentation.parsing import parse, words_of
from tests.documentation.running import completed
from tests.reports.trend_samples import night

BLOCKS = [block for page in page_names() for block in blocks_of(page)]
# Languages of blocks that nobody reads but people: measurements, grammars, drawings.
FOR_PEOPLE = frozenset({"", "text", "csv", "javascript", "diff"})
# Pages that another part of the documentation will bring.
PROGRAMS = frozenset({"gatecrash", "locust", "aws", "export", "pytest", "python", "openssl", "docker", "kubectl"})


def of_language(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def anchors_of(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them, and those that the page names itself."""
    tokens = tokens_of(page)
    headings = [tokens[number + 1].content for number, token in enumerate(tokens) if token.type == "heading_open"]
    named = set(re.findall(r'<a id="([^"]+)"', (ROOT / page).read_text()))
    return named | {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(page: str) -> list[str]:
    return [
        str(child.attrs["href"])
        for token in tokens_of(page)
        for child in token.children or []
        if child.type == "link_open"
    ]


def test_every_block_has_a_language_that_is_checked():
    known = {"console", "toml", "json", "yaml", "python", "jsonl"} | FOR_PEOPLE
    assert {block.language for block in BLOCKS} <= known, [str(b) for b in BLOCKS if b.language not in known]


def test_what_only_people_read_holds_no_commands():
    assert not [str(block) for block in of_language(*FOR_PEOPLE) if re.search(r"^\$ ", block.text, re.MULTILINE)]


@pytest.mark.parametrize("block", of_language("toml"), ids=str)
def test_settings_are_read_by_gatecrash(block, tmp_path):
    if "accepted" in tomllib.loads(block.text):
        assert parse_baseline(block.text, Path("baseline.toml")).entries
        return
    path = tmp_path / "gatecrash.toml"
    path.write_text(block.text)
    assert read_settings(path, {})


@pytest.mark.parametrize("block", of_language("json", "yaml", "jsonl", "python"), ids=str)
def test_files_of_other_languages_are_what_they_say(block):
    if block.language == "python":
        compile(block.text if block.file else _complete(block.text), str(block), "exec")
    elif block.language == "yaml":
        assert yaml.safe_load(block.text)
    else:
        lines = block.text.splitlines() if block.language == "jsonl" else [block.text]
        assert all(json.loads(line) for line in lines)


def _complete(text: str) -> str:
    return f"{text}\n    pass" if text.rstrip().endswith(":") else text


@pytest.mark.parametrize("page", page_names())
def test_links_lead_somewhere(page):
    for link in links_of(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        name = target.relative_to(ROOT).as_posix()
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors_of(name), f"{page}: {link}"


def test_the_index_names_every_page():
    named = {link.partition("#")[0] for link in links_of("docs/README.md")}
    pages = {name.removeprefix("docs/") for name in page_names() if name.startswith("docs/")} - {"README.md"}
    assert pages <= named


@pytest.mark.parametrize("command", all_commands(), ids=str)
def test_the_command_line_takes_every_command(command):
    text = completed(command.text)
    words = words_of(text)
    if words and words[0] == "gatecrash":
        parse(text)
    else:
        assert (words or ["export"])[0] in PROGRAMS or exceptions.lookup(exceptions.NOT_RUN, command), text


def test_every_program_is_run_or_has_a_reason():
    for block in of_language("python"):
        assert block.file or exceptions.lookup(exceptions.PROGRAMS, block), f"{block}: name its file, or say why not"


@pytest.mark.parametrize("name", ["NOT_RUN", "SERVES", "STAGED", "CODES", "NOT_COMPARED", "PROGRAMS"])
def test_every_exception_is_of_something_that_is_there(name):
    things = [*all_commands(), *BLOCKS]
    for (page, start), value in getattr(exceptions, name).items():
        assert any(thing.page == page and exceptions.fits(start, thing.text) for thing in things), (page, start)
        assert value is not None


def test_apache_otava_is_told_columns_that_the_csv_file_has():
    (block,) = [block for block in BLOCKS if block.file == "otava.yaml"]
    told = yaml.safe_load(block.text)["tests"]["authorizer"]
    columns = {told["time_column"], *told["attributes"], *(row["column"] for row in told["metrics"].values())}
    numbers = {"response_time__p50": 9.0, "response_time__p95": 20.0, "throttle_rate": 0.0, "achieved_rate": 100.0}
    trend = trend_of([night(number, **numbers) for number in range(3)], TrendLimits())
    header = next(csv.reader(io.StringIO(as_csv.render_trend(trend).decode())))
    assert columns <= set(header)
