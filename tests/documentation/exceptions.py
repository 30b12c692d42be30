"""What of the documentation is not simply run, and why. Every entry must fit something, or a test fails."""

from typing import Any, Final

from tests.documentation.pages import Block, Command

# What an entry is for: a page, and what a command, a screen or a program of it begins with.
Table = dict[tuple[str, str], Any]
RUNS: Final = "it is run"

# Their readers begin in an empty folder; other pages assume the authorizer and the devices of the tutorial.
EMPTY_FOLDER: Final = frozenset({"docs/tutorial.md"})

_AWS = "it fires at AWS; the same command at an endpoint of this machine is in tests/end_to_end/test_lambda_target.py"
_MACHINES = "it needs other machines; tests/end_to_end/test_namespaces.py has some, with a network between them"
# These are parsed, with all their settings, where they are gatecrash's own.
NOT_RUN: Final[Table] = {
    ("README.md", "scripts/try"): "it installs packages, which .ci/run does the same way",
    ("README.md", "gatecrash run --target iot"): _AWS,
    ("CONTRIBUTING.md", "uv pip compile"): "it asks a package index",
    ("docs/aws.md", "gatecrash doctor"): _AWS,
    ("docs/aws.md", "gatecrash run"): _AWS,
    ("docs/capacity.md", "gatecrash capacity --target lambda"): _AWS,
    ("docs/distributed.md", "gatecrash run --master"): _MACHINES,
    ("docs/distributed.md", "gatecrash worker"): _MACHINES,
    ("docs/distributed.md", "ssh"): _MACHINES,
    ("docs/fuzz.md", "gatecrash fuzz --target iot"): _AWS,
    ("docs/locust.md", "locust -f locustfiles/steady.py --headless --processes"): "it takes "
    "both cores of a small machine; tests/end_to_end/test_locust_alone.py fires so, with two workers and no plan",
    ("docs/metrics.md", "pip install"): "it asks a package index",
    ("docs/metrics.md", "curl"): "the run that it asks goes on meanwhile; tests/end_to_end/test_metrics.py scrapes one",
    ("docs/how-to/aws.md", "gatecrash"): _AWS,
    ("docs/how-to/distributed.md", "gatecrash run --master --bind"): _MACHINES,
    ("docs/how-to/distributed.md", "gatecrash worker --master-host"): _MACHINES,
    (
        "docs/trend.md",
        "OTAVA_CONFIG=otava.yaml otava",
    ): "Apache Otava is another project's; test_blocks.py holds its settings against the columns of the CSV file",
}
# Commands that run until they are stopped, and what they say when they are ready.
SERVES: Final[Table] = {
    ("docs/gateway.md", "gatecrash serve"): "Serving authorizer",
    ("docs/locust.md", "locust -f locustfiles/steady.py$"): "Starting web interface",
}
# Files that stand for others from a command on: what the page says of a handler is true of this one.
STAGED: Final[Table] = {
    ("README.md", "gatecrash fuzz"): {"authorizer.py": "ignores_case.py"},
    ("docs/fuzz.md", "gatecrash fuzz --handler authorizer.py:handler --credentials password --table devices.csv"): {
        "authorizer.py": "ignores_case.py"
    },
    ("docs/fuzz.md", "gatecrash replay"): {"authorizer.py": "old.py"},
}
# The handlers of run folders that a page names and doesn't make.
STORED: Final = {"run": "authorizer.py", "fuzz": "ignores_case.py"}
# Exit codes that don't follow from what a page shows.
CODES: Final[Table] = {
    ("README.md", "gatecrash fuzz"): 3,
    ("docs/trend.md", "gatecrash trend --history runs/history.sqlite --output trend.html"): 0,
}
# Screens that a short run can't show.
NOT_COMPARED: Final[Table] = {
    ("README.md", "gatecrash fuzz"): "confirming is cut short; tests/end_to_end/test_fuzz.py has whole ones",
    ("docs/fuzz.md", "gatecrash fuzz --handler authorizer.mjs"): "the same",
    ("README.md", "gatecrash capacity"): "the search is ended early; tests/end_to_end/test_capacity.py has whole ones",
    ("docs/capacity.md", "gatecrash capacity --handler"): "the same",
    ("docs/capacity.md", "gatecrash run --scenario spike"): "how fast it recovers is the machine's; "
    "tests/end_to_end/test_scenarios.py holds what is said of it",
    (
        "docs/fuzz.md",
        "1. GC101 allowed what must be denied [danger] [fail-open]",
    ): "which phases and combinations show a "
    "finding depends on how much time they had; tests/reports/test_campaign_words.py holds its words",
    ("docs/trend.md", "gatecrash trend --history runs/history.sqlite --output trend.html"): "it has sixty nights; "
    "tests/end_to_end/test_trend.py has as many",
}
# Pages whose readers are in a clone of the source.
IN_THE_SOURCE: Final = frozenset({"docs/how-to/attack.md"})
# Blocks of Python that are no file of the page.
PROGRAMS: Final[Table] = {
    ("docs/reports.md", "import csv"): "it reads a run folder that the page only names",
    ("docs/gateway.md", "import boto3"): RUNS,
    (
        "docs/gateway.md",
        "from gatecrash.authorizers.gateway.faults",
    ): "it serves; tests/authorizers/gateway does too",
    (
        "docs/locust.md",
        "from gatecrash.locustfiles import AuthorizerUser",
    ): "a class alone; docs/how-to/locustfile.md runs one",
    ("docs/architecture.md", "@FAMILY.credential"): "a piece of a module; docs/how-to/attack.md runs a whole one",
}


def fits(start: str, text: str) -> bool:
    """Say whether a text begins as an entry says; with a dollar sign at its end it must be all of the text."""
    return text == start[:-1] if start.endswith("$") else text.startswith(start)


def lookup(table: Table, thing: Block | Command) -> Any:
    """Return the entry of a table for a command or a block; None without one."""
    fitting = (value for (page, start), value in table.items() if page == thing.page and fits(start, thing.text))
    return next(fitting, None)
