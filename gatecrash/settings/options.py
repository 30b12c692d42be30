"""Options that several commands share; each stands for a key of gatecrash.toml."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.thresholds.parsing import check_asked
from gatecrash.reports.thresholds.threshold import Job
from gatecrash.settings.settings import parse_assignment, read_settings, sections_by_name, type_on_disk

Command = Callable[..., Any]
# Of several commands, and no keys of gatecrash.toml.
MASTER: Final = click.option("--master", is_flag=True, help="have workers fire, which join by `gatecrash worker`")
YES: Final = click.option("--yes", is_flag=True, help="fire at AWS without asking")
OPEN: Final = click.option("--open", "open_report", is_flag=True, help="open the report in a browser")
_CONFIG: Final = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="settings file (default gatecrash.toml of this folder, if there is one)",
)
_SET: Final = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="set any key of gatecrash.toml, such as load.rate=200; may be repeated",
)


def _keys(section: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{section}.{name}" for name in names)


_TARGET: Final = (
    *("authorizer.handler", "target.kind", "target.function", "authorizer.name"),
    *_keys("target", "region", "profile", "endpoint_url", "client"),
    *_keys("credentials", "kind", "table", "private_key", "file"),
)
_CORPUS: Final = _keys("corpus", "seed", "cases")
_LOAD: Final = _keys("load", "rate", "duration", "warm_up", "model", "users", "processes")
_CAPACITY: Final = (
    *_keys("capacity", "latency", "percentile", "throttle_rate", "error_rate", "start_rate", "max_rate"),
    *_keys("capacity", "seconds", "requests", "cost", "at_least"),
    *_keys("load", "users", "processes"),
)
_FUZZ: Final = ("corpus.seed", *_keys("fuzz", "drawn", "seconds", "gateway_seconds", "requests", "rate"))
_HOLD: Final = _keys("thresholds", "hold", "fail_if")
_MASTER: Final = _keys("distributed", "bind", "port", "expect_workers", "wait")
_METRICS: Final = _keys("metrics", "prometheus", "otlp")
_OUTPUT: Final = _keys("output", "runs", "name", "cache", "baseline")
_HISTORY: Final = ("trend.history", "output.revision")

Options = Literal["none", "corpus", "load", "plan", "run", "capacity", "worker", "fuzz", "compare", "trend"]
# The keys that a command has flags for, in the order of its help.
_KEYS: Final[dict[Options, tuple[str, ...]]] = {
    "none": _TARGET,
    "corpus": (*_TARGET, *_CORPUS, "output.cache"),
    "load": (*_TARGET, *_CORPUS, *_LOAD, *_OUTPUT),
    "plan": (*_TARGET, *_CORPUS, *_LOAD, *_METRICS, *_OUTPUT),
    "run": (
        *(*_TARGET, *_CORPUS, *_LOAD, *_HOLD, "thresholds.abort_if", *_MASTER, *_METRICS, *_OUTPUT),
        *("output.keep", "compare.against", *_HISTORY),
    ),
    "capacity": (*_TARGET, *_CORPUS, *_CAPACITY, *_HOLD, *_MASTER, *_METRICS, *_OUTPUT, "output.keep", *_HISTORY),
    "worker": (*_TARGET, *_keys("distributed", "master_host", "port", "wait"), "load.processes", "output.cache"),
    "fuzz": (*_TARGET, *_FUZZ, "load.processes", *_HOLD, *_OUTPUT, "output.keep", "compare.against", *_HISTORY),
    "compare": (*_TARGET, *_CORPUS, "output.cache"),
    "trend": ("trend.history",),
}
# Flags that aren't named like their keys.
_NAMES: Final = {
    "target.kind": "--target",
    "authorizer.name": "--authorizer",
    "credentials.kind": "--credentials",
    "credentials.file": "--credential-file",
    "thresholds.hold": "--threshold",
}
# Help where the first clause of a key's description, with its default, doesn't do on the command line.
_TEXTS: Final = {
    "authorizer.handler": "Lambda handler: path/to/file.py:function, or a .mjs or .js file",
    "authorizer.name": "name of the authorizer",
    "target.kind": "where to fire (default {default})",
    "target.function": "name or ARN of the Lambda function, for --target lambda",
    "target.profile": "AWS profile",
    "target.endpoint_url": "endpoint in place of AWS's own, for --target iot and lambda",
    "target.client": "what calls AWS (default: by rate and place)",
    "credentials.kind": "how credentials of the devices are made",
    "credentials.private_key": "jwt, signed: PEM file",
    "credentials.file": "python: file that makes credentials",
    "load.duration": "seconds that are measured (default {default}); with --scenario soak it is soak.duration "
    "(default 3600)",
    "load.model": "open: arrivals by schedule; closed: users' own pace",
    "capacity.latency": "seconds from the intended start to keep to (default {default})",
    "capacity.percentile": "percentile of the response times that must (default {default})",
    "capacity.error_rate": "highest share of errors and time-outs (default {default})",
    "capacity.max_rate": "highest rate that is tried (default: none)",
    "capacity.seconds": "longest time of the search (default {default})",
    "capacity.requests": "most requests of the search (default: no limit)",
    "capacity.cost": "most dollars of the search at AWS (default: no limit)",
    "capacity.at_least": "rate that must be held, else the exit code is 1",
    "thresholds.hold": 'what must hold, such as "latency.p95 < 250ms"; may be repeated',
    "thresholds.fail_if": 'what must not be so, such as "throttle_rate > 1%"; may be repeated',
    "thresholds.abort_if": "as --fail-if, and the run ends as soon as it is so; may be repeated",
    "distributed.bind": "with --master: address on which to listen for workers (default {default})",
    "distributed.expect_workers": "with --master: how many workers to wait for",
    "distributed.master_host": "where the master is (default {default})",
    "fuzz.drawn": "cases of up to four changes, drawn by Hypothesis (default {default})",
    "fuzz.requests": "most requests at a gateway or at AWS (default 20000, AWS 400)",
    "fuzz.rate": "most requests a second at a gateway or at AWS (AWS: 8)",
    "metrics.prometheus": "listen there for Prometheus, such as 127.0.0.1:9464; port 0: any",
    "metrics.otlp": "send metrics to this OpenTelemetry collector, such as http://127.0.0.1:4318",
    "output.runs": "folder of the run folders (default ./{default})",
    "output.name": "name of the run (default {default})",
    "output.baseline": "file of accepted findings, each with a date",
    "output.keep": "run folders of this name to keep; older ones go, never the newest good one",
    "output.revision": "what is tested, such as a commit (default: what the CI's variables say)",
    "compare.against": "compare with a run folder, `last` or `last-good`; worse: exit code 1",
    "trend.history": "file of the trend, to which the run adds itself",
}
_TEXTS_OF: Final = {
    ("fuzz", "corpus.seed"): "moves devices, salts and drawn cases; every single attack is always tried",
    ("capacity", "load.users"): "slots at least; a rate has as many as it needs (default {default})",
    ("trend", "trend.history"): "SQLite file that holds the history",
}


_ASKED_UNDER: Final = "thresholds."
_DURATION: Final = "load.duration"
# The scenarios that --duration can't mean, and the keys by which they say how long they take.
_OTHERWISE_TIMED: Final = {
    "spike": "a spike has stages, as long as spike.before, spike.within and spike.after say: set these, such as by "
    "--set spike.after=60",
    "capacity": "a search ends when it knows the rate, after capacity.seconds at the latest: set this by "
    "--set capacity.seconds=300",
}


def overrides_of(scenario: str | None, flags: dict[str, Any]) -> dict[str, Any]:
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


class KeyOption(click.Option):
    """A flag that stands for a ``key`` of gatecrash.toml."""

    def __init__(self, names: Sequence[str], *, key: str, **attributes: Any) -> None:
        super().__init__(names, **attributes)
        self.key = key


def _flag_of(key: str) -> str:
    return _NAMES.get(key, f"--{key.partition('.')[2].replace('_', '-')}")


def _option(key: str, command: Options) -> Callable[[Command], Command]:
    section, _, name = key.partition(".")
    field = dict(sections_by_name())[section].model_fields[name]
    default = field.get_default(call_default_factory=True)
    return click.option(
        _flag_of(key),
        cls=KeyOption,
        key=key,
        type=_type_of(field),
        multiple=isinstance(default, list),
        help=f"{_text_of(key, command, field.description or '', default)}  [{key}]",
    )


def _type_of(field: FieldInfo) -> Any:
    if (on_disk := type_on_disk(field)) is not None:
        return on_disk
    kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType] or [field.annotation]
    if get_origin(field.annotation) is Literal:
        return click.Choice(kinds)
    return click.Choice(get_args(kinds[0])) if get_origin(kinds[0]) is Literal else kinds[0]


def _text_of(key: str, command: Options, description: str, default: Any) -> str:
    clause = description.partition(";")[0] + (" (default {default})" if default is not None else "")
    shown = f"{default:g}" if isinstance(default, float) else default
    return _TEXTS_OF.get((command, key), _TEXTS.get(key, clause)).format(default=shown)


def settings_options(command: Options) -> Callable[[Command], Command]:
    """Give a command the options of gatecrash.toml that it has; it is called with ``settings``."""
    keys = {_flag_of(key).lstrip("-").replace("-", "_"): key for key in _KEYS[command]}

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def decorated(config: Path | None, assignments: tuple[str, ...], **given: Any) -> Any:
            values = {key: given.pop(name) for name, key in keys.items()}
            flags = {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in values.items()
                if value not in {None, ()}
            }
            overrides = overrides_of(given.get("scenario"), flags) | dict(map(parse_assignment, assignments))
            settings = read_settings(config, overrides)
            if command in set(Job):
                check_asked({key.removeprefix(_ASKED_UNDER): value for key, value in overrides.items()}, Job(command))
            return function(settings, **given)

        options: list[Callable[[Command], Command]] = [
            _CONFIG,
            _SET,
            *(_option(key, command) for key in _KEYS[command]),
        ]
        command_function: Command = decorated
        for option in reversed(options):
            command_function = option(command_function)
        return command_function

    return decorate
