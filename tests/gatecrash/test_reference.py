"""docs/reference and the schema of gatecrash.toml are what the code says."""

import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from gatecrash.app import app
from gatecrash.authorizers.contract import Outcome
from gatecrash.commands.init import commented_settings
from gatecrash.reports.oracles.rules import RULES
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.settings.schema import read_published
from gatecrash.settings.settings import Settings, known_keys
from scripts.reference.__main__ import COMMAND, ROOT, documents, stale_files
from scripts.reference.commands_page import all_commands, default_of_key, key_of, options_of
from scripts.reference.exit_codes import BY_COMMAND, EVERYWHERE
from scripts.reference.settings_schema import settings_schema
from tests.rendering import rendered

REFERENCE = ROOT / "docs" / "reference"
NAMES = (
    "docs/reference/commands.md",
    "docs/reference/settings.md",
    "docs/reference/codes.md",
    "docs/reference/files.md",
)
SAID_DEFAULT = re.compile(r"\(default:? (?P<default>[^()]*)\)")
OPTIONS = [
    pytest.param(option, id=f"{name} {option.opts[0]}")
    for name, command in all_commands()
    for option in options_of(command)
]


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(read_published())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("name", list(documents()))
def test_what_is_generated_is_what_the_code_says_now(name):
    assert name not in stale_files(), f"{name} is old: write it anew by {COMMAND}"


def test_a_changed_and_a_missing_file_are_told(tmp_path):
    for name, content in documents().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert stale_files(tmp_path) == []
    (tmp_path / NAMES[0]).write_bytes((tmp_path / NAMES[0]).read_bytes() + b"\n")
    (tmp_path / NAMES[2]).unlink()
    assert stale_files(tmp_path) == [NAMES[0], NAMES[2]]


def test_it_is_the_same_on_any_terminal_and_for_anybody(tmp_path):
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "40", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.reference", "--check"],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for content in documents().values():
        assert str(Path.home()) not in content.decode()
        assert str(ROOT) not in content.decode()


def test_every_command_has_its_section_with_every_option_and_exit_code():
    page = (REFERENCE / "commands.md").read_text()
    assert rendered(page).texts()[:3] == ["Commands", "Exit codes", "Environment variables"]
    for name, command in all_commands():
        section = rendered(page.split(f"\n## gatecrash {name}\n")[1].split("\n## ")[0])
        assert section.code[0].startswith(f"gatecrash {name} ")
        options = (
            {cell for row in section.tables[0][1:] for cell in row[0].split(", ")} if options_of(command) else set()
        )
        assert options == {flag for option in options_of(command) for flag in option.opts}
        codes = {int(row[0]) for row in section.tables[-1][1:]}
        assert codes == {int(code) for code in {**EVERYWHERE, **BY_COMMAND[name]}}


def test_the_exit_codes_that_are_written_down_are_those_of_the_commands():
    assert set(BY_COMMAND) == {name for name, _ in all_commands()}
    assert {code for codes in BY_COMMAND.values() for code in codes} == set(ExitCode)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_has_help_and_says_what_it_stands_for(option):
    assert option.help
    key = key_of(option)
    if key is None:
        return
    assert key in set(known_keys())
    default, said = default_of_key(key), SAID_DEFAULT.search(option.help)
    if said is not None and default not in (None, [], {}, ""):
        assert said["default"].removeprefix("./") == (f"{default:g}" if isinstance(default, float) else str(default))
    assert option.multiple == isinstance(default, list)
    assert option.multiple == ("may be repeated" in option.help)


def test_every_key_is_in_the_settings_with_its_flags():
    tables = rendered((REFERENCE / "settings.md").read_text())
    sections = tables.texts()[1:]
    assert sections == list(Settings.model_fields)
    rows = {
        f"{section}.{row[0]}": row for section, table in zip(sections, tables.tables, strict=True) for row in table[1:]
    }
    assert list(rows) == list(known_keys())
    assert all(row[1] and row[2] and len(row[3]) > 10 for row in rows.values())
    assert rows["load.rate"][1:3] == ["number, more than 0", "100.0"]
    assert rows["load.rate"][4] == "--rate"
    assert rows["distributed.port"][1] == "whole number, at least 1 and at most 65535"
    assert rows["thresholds.hold"][1:3] == ["list of text", "[]"]
    assert rows["load.model"][1] == '"open" or "closed"'


def test_every_code_is_explained():
    page = rendered((REFERENCE / "codes.md").read_text())
    assert [row[0] for row in page.tables[0][1:]] == [rule.code for rule in RULES]
    assert page.texts()[1:] == [f"{rule.code}: {rule.title}" for rule in RULES]


def test_the_columns_of_the_csv_files_name_every_outcome():
    page = rendered((REFERENCE / "files.md").read_text())
    columns = {row[0] for row in page.tables[page.texts().index("seconds.csv") - 1][1:]}
    assert {outcome.value for outcome in Outcome} <= columns


def test_every_variable_that_is_read_is_named():
    page = (REFERENCE / "commands.md").read_text()
    reading = re.compile(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"")
    for package in ("authorizers", "firing", "gatecrash", "generators", "locustfiles", "reports"):
        for path in (ROOT / package).rglob("*.py"):
            for name in reading.findall(path.read_text()):
                assert f"`{name}`" in page, f"{path} reads {name}: name it in scripts/reference/commands_page.py"


@cache
def anchors_of(path):
    """Return the anchors of a page's headings."""
    return {re.sub(r"[^\w\- ]", "", one).replace(" ", "-").lower() for one in rendered(path.read_text()).texts()}


@pytest.mark.parametrize("page", NAMES)
def test_a_page_is_markdown_whose_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    shown = rendered(text)
    assert shown.headings[0][0] == 1
    assert all(re.fullmatch(r'<!--.*-->\n?|<a id="[\w.]+">|</a>', one) for one in shown.html), shown.html
    assert all(len(row) == len(table[0]) for table in shown.tables for row in table)
    for link in shown.links:
        place, _, anchor = link.partition("#")
        if "://" in place:
            continue
        target = ROOT / page if not place else (ROOT / page).parent / place
        assert target.is_file(), link
        if anchor:
            assert anchor in anchors_of(target) or f'<a id="{anchor}">' in target.read_text(), link


def test_the_published_schema_is_that_of_the_settings(validator):
    assert validator.schema == settings_schema()
    assert "null" not in json.dumps(validator.schema)
    assert "$ref" not in json.dumps(validator.schema)


def test_the_defaults_meet_the_schema_and_are_told_in_it(validator):
    defaults = Settings().model_dump(mode="json", exclude_none=True)
    validator.validate(defaults)
    for section, keys in defaults.items():
        for name, value in keys.items():
            assert validator.schema["properties"][section]["properties"][name]["default"] == value


def examples():
    """Every settings file, or part of one, that the documentation shows."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, block in enumerate(re.findall(r"```toml\n(.*?)```", path.read_text(), re.DOTALL)):
            if set(tomllib.loads(block)) <= set(Settings.model_fields):
                yield pytest.param(block, id=f"{path.relative_to(ROOT)} {number}")


@pytest.mark.parametrize("block", list(examples()))
def test_the_settings_that_the_documentation_shows_meet_the_schema(validator, block):
    validator.validate(tomllib.loads(block))
    Settings.model_validate(tomllib.loads(block))


VALUES = (
    *(-1, 0, 1, 2, 50, 400, 70_000, -0.5, 0.0, 0.01, 0.5, 0.99, 1.0, 1.5, 60.5, 99.5),
    *(True, False, "", "words", "local", "open", "jwt", "last", "fail", "judged", "told"),
    *([], ["words"], [5], {}, {"words": "words"}, {"words": 5}, {"words": [1]}),
)


@pytest.mark.parametrize("key", list(known_keys()))
def test_the_schema_and_gatecrash_agree_on_what_a_key_may_be(validator, key):
    """Nothing that the schema takes is refused, and it takes what gatecrash takes without changing its type."""
    section, _, name = key.partition(".")
    taken = {True: 0, False: 0}
    words = validator.schema["properties"][section]["properties"][name].get("enum", [])
    for value in (*VALUES, *words):
        values = {section: {name: value}}
        by_schema = validator.is_valid(values)
        assert not by_schema or _takes(values, strict=False), value
        assert by_schema or not _takes(values, strict=True), value
        taken[by_schema] += 1
    assert taken[True]
    assert taken[False]


def _takes(values, *, strict):
    try:
        Settings.model_validate(values, strict=strict)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    ["[load]\nrates = 5\n", "[lode]\n", "load = 5\n", "rate = 5\n", '[load]\nmodel = "shut"\n', "[load]\nrate = 0\n"],
)
def test_a_mistake_meets_neither_the_schema_nor_gatecrash(validator, text):
    values = tomllib.loads(text)
    assert not validator.is_valid(values)
    assert not _takes(values, strict=False)


def test_init_puts_the_schema_beside_the_settings_and_names_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert app(["init", "--schema"]) == 0
    lines = (tmp_path / "gatecrash.toml").read_text().splitlines()
    assert lines[0] == "#:schema ./gatecrash.schema.json"
    assert "\n".join(lines[1:]) + "\n" == commented_settings()
    assert (tmp_path / "gatecrash.schema.json").read_bytes() == read_published()
    (tmp_path / "gatecrash.toml").write_text("[load]\nrate = 5\n")
    (tmp_path / "gatecrash.schema.json").unlink()
    capsys.readouterr()
    assert app(["init", "--schema"]) == 0
    assert (tmp_path / "gatecrash.toml").read_text() == "[load]\nrate = 5\n"
    assert (tmp_path / "gatecrash.schema.json").read_bytes() == read_published()
    assert capsys.readouterr().out.endswith("begin it with the line\n#:schema ./gatecrash.schema.json\n")
