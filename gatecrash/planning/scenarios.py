"""What the scenarios of a run under load differ in: their plans, how long they take, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf
from pathlib import Path
from typing import Any, Final, Literal

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.generators.corpus import Corpus
from gatecrash.planning.fleets import fleet_facts, with_fleet
from gatecrash.planning.preparing import make_plan
from gatecrash.preflight.asking import Load, calls_for, planned_load
from gatecrash.reports.capacity.objectives import Objectives
from gatecrash.reports.live.metrics_settings import metrics_settings, require_extra
from gatecrash.reports.run.plan import CLOSED, OPEN, Plan, Stage
from gatecrash.reports.words.summary import plural
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import steady_rate

Scenario = Literal["steady", "spike", "soak", "capacity"]
# Those of `gatecrash run`.
LOADS: Final = ("steady", "spike", "soak")
SCENARIOS: Final = (*LOADS, "capacity")
# Slots are few megabytes; so many hold any rate that a machine fires.
_SLOTS_MAXIMUM: Final = 10_000
_RATE_EXPECTED: Final = 5_000.0
_SLOTS_FACTOR: Final = 2.0
_SPIKE_SLOTS: Final = 1_000
_REST_SECONDS: Final = (5.0, 60.0)
_PATIENCE_LEAST: Final = 0.5


def check_scenario(scenario: Scenario, settings: Settings) -> None:
    """Raise UsageError for settings that a scenario can't work with."""
    require_extra(metrics_settings(settings.metrics.model_dump()))
    if scenario == "spike" and settings.load.model == CLOSED:
        raise UsageError("load.model is closed, but a spike is an open schedule: leave load.model out")
    if scenario != "capacity":
        return
    capacity, target = settings.capacity, settings.target
    if settings.load.model == CLOSED:
        raise UsageError("load.model is closed, but capacity is searched by an open schedule: leave load.model out")
    if target.kind == "iot" and not is_on_this_machine(target.endpoint_url):
        raise UsageError(
            "--target iot: AWS allows 10 calls of TestInvokeAuthorizer a second, which says nothing of the "
            "authorizer's capacity; invoke its function with --target lambda --function NAME"
        )
    if capacity.max_rate is not None and capacity.max_rate < capacity.start_rate:
        raise UsageError(
            f"capacity.max_rate is {capacity.max_rate:g}, below capacity.start_rate, {capacity.start_rate:g}: "
            "raise --max-rate or lower --start-rate"
        )
    if capacity.max_rate is not None and capacity.at_least is not None and capacity.at_least > capacity.max_rate:
        raise UsageError(
            f"capacity.at_least is {capacity.at_least:g}, above capacity.max_rate, {capacity.max_rate:g}, so it would "
            "never be tried: raise --max-rate or lower --at-least"
        )


def settings_of(scenario: Scenario, settings: Settings) -> Settings:
    """Return settings with what a scenario sets where they don't; raises UsageError for credentials that don't open."""
    return with_fleet(settings) if scenario == "spike" else settings


def seconds_of(scenario: Scenario, settings: Settings) -> float:
    """Return how long a scenario fires at most."""
    if scenario == "capacity":
        return settings.capacity.seconds
    return settings.load.warm_up + _duration(scenario, settings)


def _duration(scenario: Scenario, settings: Settings) -> float:
    """Return how many seconds are measured."""
    if scenario == "spike":
        return settings.spike.before + settings.spike.within + settings.spike.after
    return settings.soak.duration if scenario == "soak" else settings.load.duration


def highest_rate(scenario: Scenario, settings: Settings) -> float:
    """Return the highest planned rate, in arrivals a second; 0 where users keep their own pace, inf where none is."""
    if scenario == "capacity":
        return settings.capacity.max_rate or inf
    if scenario == "spike":
        return max(settings.load.rate, settings.spike.fleet / settings.spike.within)
    return steady_rate(settings)


def load_of(scenario: Scenario, settings: Settings) -> Load:
    """Return the load that a scenario puts on a target at most, for the question before it."""
    if scenario == "spike":
        return _spike_load(settings)
    if scenario != "capacity":
        return planned_load(settings, seconds_of(scenario, settings))
    capacity, requests = settings.capacity, _requests(settings)
    words = f"at most {requests:,}" if requests else f"as many as {capacity.seconds:g} s of rising rates take"
    if capacity.max_rate:
        words += f", up to {capacity.max_rate:g} a second,"
    return Load(requests, capacity.max_rate, words, _slots(settings))


def plan_of(scenario: Scenario, settings: Settings, corpus: Corpus, run_folder: Path) -> Plan:
    """Put the plan of a scenario together."""
    plan = make_plan(settings, corpus, run_folder, highest_rate(scenario, settings))
    if scenario == "capacity":
        return _capacity_plan(plan, settings, corpus)
    fleet = {"fleet": fleet_facts(settings, corpus)} if scenario == "spike" else {}
    info = {**plan.info, "plan": {**plan.info["plan"], "scenario": scenario, **fleet}}
    plan = replace(plan, duration=_duration(scenario, settings), info=info)
    return _spike_plan(plan, settings) if scenario == "spike" else plan


def _spike_plan(plan: Plan, settings: Settings) -> Plan:
    spike, rate = settings.spike, settings.load.rate
    stages = (
        Stage("before", rate, spike.before),
        Stage("spike", spike.fleet / spike.within, spike.within),
        Stage("after", rate, spike.after),
    )
    return replace(plan, stages=stages, users=max(plan.users, min(_SPIKE_SLOTS, spike.fleet)))


def _spike_load(settings: Settings) -> Load:
    spike, load = settings.spike, settings.load
    calls = round(load.rate * (load.warm_up + spike.before + spike.after)) + spike.fleet
    return Load(calls, highest_rate("spike", settings), str(calls), max(load.users, min(_SPIKE_SLOTS, spike.fleet)))


def _capacity_plan(plan: Plan, settings: Settings, corpus: Corpus) -> Plan:
    capacity = settings.capacity
    objectives = Objectives(
        percentile=capacity.percentile,
        latency=capacity.latency,
        throttle_rate=capacity.throttle_rate,
        error_rate=capacity.error_rate,
        wrong_rate=capacity.wrong_rate,
    )
    shortest, longest = _REST_SECONDS
    return replace(
        plan,
        model=OPEN,
        duration=capacity.seconds,
        warm_up=0.0,
        users=_slots(settings),
        # What waits longer than that is late anyway.
        patience=max(_PATIENCE_LEAST, _SLOTS_FACTOR * capacity.latency),
        capacity={
            "objectives": objectives.to_json(),
            "search": {
                "start_rate": capacity.start_rate,
                "max_rate": capacity.max_rate,
                # Every case once, to know which are answered wrongly at rest.
                "rest_seconds": min(longest, max(shortest, ceil(len(corpus) / capacity.start_rate))),
                "probe_seconds": capacity.probe_seconds,
                "warm_up": capacity.warm_up,
                "width": capacity.width,
            },
            "limits": {"seconds": capacity.seconds, "requests": _requests(settings)},
            "at_least": capacity.at_least,
            "users_least": settings.load.users,
        },
    )


def _slots(settings: Settings) -> int:
    capacity = settings.capacity
    needed = (capacity.max_rate or _RATE_EXPECTED) * capacity.latency * _SLOTS_FACTOR
    return max(settings.load.users, min(_SLOTS_MAXIMUM, ceil(needed)))


def _requests(settings: Settings) -> int | None:
    """Return the most requests: those that are asked for, or those that the cost allows."""
    bounds = [settings.capacity.requests, calls_for(settings.capacity.cost) if settings.capacity.cost else None]
    return min((bound for bound in bounds if bound is not None), default=None)


def opening_words(scenario: Scenario, plan: Plan) -> str:
    """Say how a plan fires."""
    if scenario == "capacity":
        return _capacity_words(plan)
    if plan.stages:
        return _spike_words(plan)
    pace = f"{plan.rate:g} arrivals/s" if plan.model == OPEN else f"{plan.users} users"
    return f"Firing  {pace} for {plan.duration:g} s after {plan.warm_up:g} s of warm-up"


def _spike_words(plan: Plan) -> str:
    spike = next(stage for stage in plan.stages if stage.name == "spike")
    fleet = plan.info["plan"]["fleet"]
    return (
        f"Firing  {spike.rate * spike.seconds:,.0f} connections of {plural(fleet['devices'], 'device')} within "
        f"{spike.seconds:g} s, and {plan.rate:g} arrivals/s before and after,"
    )


def _capacity_words(plan: Plan) -> str:
    settings: dict[str, Any] = dict(plan.capacity or {})
    objectives = Objectives.from_json(settings["objectives"])
    return (
        f"Searching the highest rate at which {objectives.percentile:g} % of the answers come within "
        f"{objectives.latency * 1000:g} ms, from {settings['search']['start_rate']:g} arrivals/s on, for at most "
        f"{plan.duration:g} s,"
    )
