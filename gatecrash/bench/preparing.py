"""From settings to what a fuzz run needs: fitting carriers, the corpus, where to fire, how much."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, Final

from gatecrash.authorizers.service.front import TOKEN_KEY_NAME_DEFAULT, HandlerSettings
from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.opening import open_target
from gatecrash.bench.bench import PARALLEL_MAXIMUM, Bench, LaboratoryBench, TargetBench
from gatecrash.bench.literals import words_of
from gatecrash.generators.building import CorpusPlan, build_corpus
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.credentials.carrying import TOKEN_CARRIERS
from gatecrash.planning.preparing import check_credentials, check_lifetime, minted_at
from gatecrash.settings.settings import AWS_KINDS, Settings, credential_settings
from gatecrash.settings.targets import target_settings

_LOCAL_REQUESTS: Final = 20_000
_AWS_REQUESTS: Final = 400
_AWS_RATE: Final = 8.0
_LIFETIME_NEEDED: Final = 120.0
# What controls, confirmation and shrinking may take of a budget; the rest is for the phases.
BENCH_SHARE: Final = 0.4


def with_fuzz_defaults(settings: Settings) -> Settings:
    """Fill in what a fuzz run takes where nothing was said.

    Signed tokens on this machine are presented by every carrier: the embedded gateway takes them all.
    """
    name = "fuzz" if settings.output.name == "run" else settings.output.name
    settings = settings.model_copy(update={"output": settings.output.model_copy(update={"name": name})})
    credentials, authorizer = settings.credentials, settings.authorizer
    if credentials.kind != "signed" or credentials.carriers is not None or settings.target.kind == "iot":
        return settings
    key_name = authorizer.token_key_name or TOKEN_KEY_NAME_DEFAULT
    return settings.model_copy(
        update={
            "credentials": credentials.model_copy(update={"carriers": list(TOKEN_CARRIERS)}),
            "authorizer": authorizer.model_copy(update={"token_key_name": key_name}),
        }
    )


def sweep_corpus(settings: Settings, progress: Callable[[int], None]) -> Corpus:
    """Build the corpus of a fuzz run; raises UsageError where the settings can't work."""
    check_credentials(settings, _LIFETIME_NEEDED)
    plan = CorpusPlan(
        credentials=credential_settings(settings),
        token_key_name=settings.authorizer.token_key_name,
        seed=settings.corpus.seed,
        cases=settings.fuzz.drawn,
        valid_share=settings.corpus.valid_share,
        minted_at=minted_at(settings),
        sweep=True,
        words=words_of(settings.authorizer.handler) if is_python_handler(settings) else (),
    )
    corpus = build_corpus(plan, settings.cache_folder(), progress)
    check_lifetime(corpus, settings, _LIFETIME_NEEDED)
    return corpus


def is_python_handler(settings: Settings) -> bool:
    """Say whether the authorizer is a Python handler of this machine, which can be called without a network."""
    handler = settings.authorizer.handler
    if settings.target.kind not in {"local", "handler"} or settings.authorizer.command or handler is None:
        return False
    return PurePath(handler.partition(":")[0]).suffix == ".py"


def laboratory_settings(settings: Settings) -> HandlerSettings:
    """Return the laboratory's settings."""
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
def opened_bench(settings: Settings) -> Iterator[Bench]:
    """Open where single requests are fired: a laboratory for Python handlers, the target itself for all others."""
    if is_python_handler(settings):
        bench: Bench = LaboratoryBench(laboratory_settings(settings))
        try:
            yield bench
        finally:
            bench.close()
        return
    # Locust's phases have the larger part of the budget.
    with target_bench(settings, budget=int(request_budget(settings) * BENCH_SHARE)) as target:
        yield target


@contextmanager
def target_bench(settings: Settings, *, budget: int | None) -> Iterator[TargetBench]:
    """Open the target itself, behind the embedded gateway for a local one; None is no bound on the requests."""
    plain = target_settings(settings)
    gateway = LocalGateway(plain["gateway"]) if "gateway" in plain else None
    try:
        target = open_target(_at(plain, gateway), connections=PARALLEL_MAXIMUM)
        bench = TargetBench(target, rate=request_rate(settings), budget=sys.maxsize if budget is None else budget)
        try:
            yield bench
        finally:
            bench.close()
    finally:
        if gateway is not None:
            gateway.close()


def _at(plain: dict[str, Any], gateway: LocalGateway | None) -> dict[str, Any]:
    if gateway is None:
        return plain
    return {name: value for name, value in plain.items() if name != "gateway"} | {"endpoint_url": gateway.url}
