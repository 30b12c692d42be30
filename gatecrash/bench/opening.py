"""From settings to a bench: where single requests are fired, how many and how fast."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import PurePath
from typing import Final

from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.bench.bench import PARALLEL_MAXIMUM, Bench, LaboratoryBench, TargetBench
from gatecrash.reports.plan.facts import AWS_KINDS
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import open_target_of, target_settings

_LOCAL_REQUESTS: Final = 20_000
_AWS_REQUESTS: Final = 400
_AWS_RATE: Final = 8.0
# What controls, confirmation and shrinking may take of a budget; the rest is for the phases.
BENCH_SHARE: Final = 0.4


def is_python_handler(settings: Settings) -> bool:
    """Say whether the authorizer is a Python handler of this machine, which can be called without a network."""
    handler = settings.authorizer.handler
    if settings.target.kind not in {"local", "handler"} or settings.authorizer.command or handler is None:
        return False
    return PurePath(handler.partition(":")[0]).suffix == ".py"


def _laboratory_settings(settings: Settings) -> HandlerSettings:
    target = settings.target.model_copy(update={"kind": "handler"})
    plain = target_settings(settings.model_copy(update={"target": target}))
    return HandlerSettings(**{name: value for name, value in plain.items() if name != "kind"})


def request_budget(settings: Settings) -> int:
    """Return how many requests a gateway or AWS may get."""
    if settings.fuzz.requests is not None:
        return settings.fuzz.requests
    return _AWS_REQUESTS if settings.target.kind in AWS_KINDS else _LOCAL_REQUESTS


def request_rate(settings: Settings) -> float | None:
    """Return how many requests a second a gateway or AWS may get; None: as many as it answers."""
    if settings.fuzz.rate is not None or settings.target.kind not in AWS_KINDS:
        return settings.fuzz.rate
    return _AWS_RATE


@contextmanager
def open_bench(settings: Settings, *, budget: float = math.inf, isolated: bool = True) -> Iterator[Bench]:
    """Open where single requests are fired: a laboratory for Python handlers, the target itself for all others.

    The target gets ``budget`` requests at most. Unless it may be ``isolated`` a Python handler is fired at where its
    settings say, too.
    """
    bench: Bench
    with ExitStack() as stack:
        if isolated and is_python_handler(settings):
            bench = LaboratoryBench(_laboratory_settings(settings))
        else:
            target = stack.enter_context(open_target_of(settings, connections=PARALLEL_MAXIMUM))
            bench = TargetBench(target, rate=request_rate(settings), budget=budget)
        yield stack.enter_context(closing(bench))
