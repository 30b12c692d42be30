"""Options that several commands share; each stands for a key of gatecrash.toml."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import click

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.thresholds.parsing import check_asked
from gatecrash.reports.thresholds.threshold import Job
from gatecrash.settings.settings import Settings, parse_assignment, read_settings

Command = Callable[..., Any]

KINDS: Final = ["local", "iot", "lambda", "handler", "scripted"]
# Flag, key of gatecrash.toml, type, help.
_TARGET: Final = (
    ("--handler", "authorizer.handler", str, "Lambda handler: path/to/file.py:function, or a .mjs or .js file"),
    ("--target", "target.kind", click.Choice(KINDS), "where to fire (default local)"),
    ("--function", "target.function", str, "name or ARN of the Lambda function, for --target lambda"),
    ("--authorizer", "authorizer.name", str, "name of the authorizer"),
    ("--region", "target.region", str, "AWS region"),
    ("--profile", "target.profile", str, "AWS profile"),
    ("--endpoint-url", "target.endpoint_url", str, "endpoint in place of AWS's own, for --target iot and lambda"),
    (
        "--client",
        "target.client",
        click.Choice(["boto3", "wire"]),
        "what calls AWS (default: by rate and place)",
    ),
)
_CREDENTIALS: Final = (
    (
        "--credentials",
        "credentials.kind",
        click.Choice(["jwt", "password", "signed", "api_key", "python"]),
        "how credentials of the devices are made",
    ),
    ("--table", "credentials.table", click.Path(dir_okay=False), "password, api_key: JSON Lines or CSV file"),
    ("--private-key", "credentials.private_key", click.Path(dir_okay=False), "jwt, signed: PEM file"),
    ("--credential-file", "credentials.file", click.Path(dir_okay=False), "python: file that makes credentials"),
)
_CORPUS: Final = (
    ("--seed", "corpus.seed", int, "the same seed gives the same cases (default 1)"),
    ("--cases", "corpus.cases", int, "distinct cases (default 200)"),
)
_LOAD: Final = (
    ("--rate", "load.rate", float, "arrivals a second (default 100)"),
    (
        "--duration",
        "load.duration",
        float,
        "seconds that are measured (default 30); with --scenario soak it is soak.duration (default 3600)",
    ),
    ("--warm-up", "load.warm_up", float, "seconds before them that are kept apart (default 3)"),
    ("--model", "load.model", click.Choice(["open", "closed"]), "open: arrivals by schedule; closed: users' own pace"),
    ("--users", "load.users", int, "slots of the open model, users of the closed one (default 50)"),
    ("--processes", "load.processes", int, "Locust workers on this machine (default 1)"),
)
_CAPACITY: Final = (
    ("--latency", "capacity.latency", float, "seconds from the intended start to keep to (default 0.25)"),
    ("--percentile", "capacity.percentile", float, "percentile of the response times that must (default 95)"),
    ("--throttle-rate", "capacity.throttle_rate", float, "highest share of throttled requests (default 0.01)"),
    ("--error-rate", "capacity.error_rate", float, "highest share of errors and time-outs (default 0.01)"),
    ("--start-rate", "capacity.start_rate", float, "arrivals a second to begin with (default 20)"),
    ("--max-rate", "capacity.max_rate", float, "highest rate that is tried (default: none)"),
    ("--seconds", "capacity.seconds", float, "longest time of the search (default 600)"),
    ("--requests", "capacity.requests", int, "most requests of the search (default: no limit)"),
    ("--cost", "capacity.cost", float, "most dollars of the search at AWS (default: no limit)"),
    ("--at-least", "capacity.at_least", float, "rate that must be held, else the exit code is 1"),
    ("--users", "load.users", int, "slots at least; a rate has as many as it needs (default 50)"),
    ("--processes", "load.processes", int, "Locust workers on this machine (default 1)"),
)
_PORT: Final = ("--port", "distributed.port", int, "the master's port (default 5557)")
_WAIT: Final = (
    "--wait",
    "distributed.wait",
    float,
    "seconds that master and workers wait for each other (default 120)",
)
_MASTER: Final = (
    ("--bind", "distributed.bind", str, "with --master: address on which to listen for workers (default 127.0.0.1)"),
    _PORT,
    ("--expect-workers", "distributed.expect_workers", int, "with --master: how many workers to wait for"),
    _WAIT,
)
_WORKER: Final = (
    ("--master-host", "distributed.master_host", str, "where the master is (default 127.0.0.1)"),
    _PORT,
    _WAIT,
    ("--processes", "load.processes", int, "Locust workers on this machine (default 1)"),
    ("--cache", "output.cache", click.Path(), "folder for corpora, which hold secrets"),
)
_FUZZ: Final = (
    ("--seed", "corpus.seed", int, "moves devices, salts and drawn cases; every single attack is always tried"),
    ("--drawn", "fuzz.drawn", int, "cases of up to four changes, drawn by Hypothesis (default 1000)"),
    ("--seconds", "fuzz.seconds", float, "seconds for the phases in this process (default 15)"),
    ("--gateway-seconds", "fuzz.gateway_seconds", float, "seconds for the phases that Locust fires (default 6)"),
    ("--requests", "fuzz.requests", int, "most requests at a gateway or at AWS (default 20000, AWS 400)"),
    ("--rate", "fuzz.rate", float, "most requests a second at a gateway or at AWS (AWS: 8)"),
    ("--processes", "load.processes", int, "Locust workers on this machine (default 1)"),
)
_OUTPUT: Final = (
    ("--runs", "output.runs", click.Path(), "folder of the run folders (default ./runs)"),
    ("--name", "output.name", str, "name of the run (default run)"),
    ("--cache", "output.cache", click.Path(), "folder for corpora, which hold secrets"),
    ("--baseline", "output.baseline", click.Path(dir_okay=False), "file of accepted findings, each with a date"),
)


# They may be repeated.
_THRESHOLDS: Final = (
    ("--threshold", "thresholds.hold", str, 'what must hold, such as "latency.p95 < 250ms"; may be repeated'),
    ("--fail-if", "thresholds.fail_if", str, 'what must not be so, such as "throttle_rate > 1%"; may be repeated'),
)
_ABORT: Final = (
    ("--abort-if", "thresholds.abort_if", str, "as --fail-if, and the run ends as soon as it is so; may be repeated"),
)
_REPEATED: Final = frozenset(flag for flag, *_ in (*_THRESHOLDS, *_ABORT))

_METRICS: Final = (
    ("--prometheus", "metrics.prometheus", str, "listen there for Prometheus, such as 127.0.0.1:9464; port 0: any"),
    ("--otlp", "metrics.otlp", str, "send metrics to this OpenTelemetry collector, such as http://127.0.0.1:4318"),
)

_KEEP: Final = (
    ("--keep", "output.keep", int, "run folders of this name to keep; older ones go, never the newest good one"),
)
_AGAINST: Final = (
    ("--against", "compare.against", str, "compare with a run folder, `last` or `last-good`; worse: exit code 1"),
)

_HISTORY: Final = (
    ("--history", "trend.history", click.Path(dir_okay=False), "file of the trend, to which the run adds itself"),
    ("--revision", "output.revision", str, "what is tested, such as a commit (default: what the CI's variables say)"),
)
_TREND: Final = (("--history", "trend.history", click.Path(dir_okay=False), "SQLite file that holds the history"),)

_SCENARIOS: Final = {
    "none": (),
    "corpus": (*_CORPUS, _OUTPUT[2]),
    "load": (*_CORPUS, *_LOAD, *_OUTPUT),
    "plan": (*_CORPUS, *_LOAD, *_METRICS, *_OUTPUT),
    "run": (*_CORPUS, *_LOAD, *_THRESHOLDS, *_ABORT, *_MASTER, *_METRICS, *_OUTPUT, *_KEEP, *_AGAINST, *_HISTORY),
    "capacity": (*_CORPUS, *_CAPACITY, *_THRESHOLDS, *_MASTER, *_METRICS, *_OUTPUT, *_KEEP, *_HISTORY),
    "worker": _WORKER,
    "fuzz": (*_FUZZ, *_THRESHOLDS, *_OUTPUT, *_KEEP, *_AGAINST, *_HISTORY),
    "compare": (*_CORPUS, _OUTPUT[2]),
    "trend": _TREND,
}
Options = Literal["none", "corpus", "load", "plan", "run", "capacity", "worker", "fuzz", "compare", "trend"]
# What these do has nothing to do with a target.
_WITHOUT_TARGET: Final = frozenset({"trend"})

_ASKED_UNDER: Final = "thresholds."
_DURATION: Final = "load.duration"
# The scenarios that --duration can't mean, and the keys by which they say how long they take.
_OTHERWISE_TIMED: Final = {
    "spike": "a spike has stages, as long as spike.before, spike.within and spike.after say: set these, such as by "
    "--set spike.after=60",
    "capacity": "a search ends when it knows the rate, after capacity.seconds at the latest: set this by "
    "--set capacity.seconds=300",
}


def meant_by(scenario: str | None, flags: dict[str, Any]) -> dict[str, Any]:
    """Return the values that flags gave, by the key that each means in a scenario of `gatecrash run` or `plan`.

    The key load.duration is that of the steady scenario. Raises UsageError for a --duration that a scenario can't have.
    """
    if _DURATION not in flags or scenario is None:
        return flags
    if scenario in _OTHERWISE_TIMED:
        raise UsageError(f"--duration doesn't go with --scenario {scenario}: {_OTHERWISE_TIMED[scenario]}")
    if scenario != "soak":
        return flags
    return {"soak.duration" if key == _DURATION else key: value for key, value in flags.items()}


def _given(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def settings_options(scenario: Options) -> Callable[[Command], Command]:
    """Give a command the options of gatecrash.toml that its scenario has; it is called with ``settings``."""
    flags = _SCENARIOS[scenario] if scenario in _WITHOUT_TARGET else (*_TARGET, *_CREDENTIALS, *_SCENARIOS[scenario])
    keys = {flag.lstrip("-").replace("-", "_"): key for flag, key, _, _ in flags}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapper(config: Path | None, assignments: tuple[str, ...], **given: Any) -> Any:
            overrides = {keys[name]: _given(given.pop(name)) for name in keys if given[name] not in {None, ()}}
            for name in keys:
                given.pop(name, None)
            overrides = meant_by(given.get("scenario"), overrides)
            overrides |= dict(parse_assignment(text) for text in assignments)
            settings: Settings = read_settings(config, overrides)
            if scenario in set(Job):
                asked = {key.removeprefix(_ASKED_UNDER): value for key, value in overrides.items()}
                check_asked(asked, Job(scenario))
            return command(settings, **given)

        for flag, key, kind, text in reversed(flags):
            repeated: dict[str, Any] = {"multiple": True} if flag in _REPEATED else {"default": None}
            wrapper = click.option(flag, type=kind, help=f"{text}  [{key}]", **repeated)(wrapper)
        wrapper = click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="KEY=VALUE",
            help="set any key of gatecrash.toml, such as load.rate=200; may be repeated",
        )(wrapper)
        return click.option(
            "--config",
            type=click.Path(path_type=Path),
            default=None,
            help="settings file (default gatecrash.toml of this folder, if there is one)",
        )(wrapper)

    return decorate
