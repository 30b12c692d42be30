"""The scenario capacity: a search for the highest rate at which the objectives are kept."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf
from pathlib import Path
from typing import Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.generators.corpus import Corpus
from gatecrash.planning.load import Load, calls_for
from gatecrash.reports.capacity.objectives import SLOTS_FACTOR, Objectives
from gatecrash.reports.plan.facts import SearchLimits, SearchPlan, SearchRates
from gatecrash.reports.plan.plan import CLOSED, OPEN, Plan
from gatecrash.scenarios.scenario import Scenario
from gatecrash.settings.settings import Settings

# Slots are few megabytes; so many hold any rate that a machine fires.
_SLOTS_MAXIMUM: Final = 10_000
_RATE_EXPECTED: Final = 5_000.0
_REST_SECONDS: Final = (5.0, 60.0)
_PATIENCE_LEAST: Final = 0.5


class CapacityScenario(Scenario):
    """Rates that are found while firing: they double until an objective is broken, then lie between two."""

    name = "capacity"

    def __init__(self, settings: Settings) -> None:
        capacity = self._capacity = settings.capacity
        super().__init__(settings, capacity.seconds)
        self._check()
        # A search warms up at each rate.
        self.seconds = capacity.seconds
        self.highest_rate = capacity.max_rate or inf
        slots = ceil((capacity.max_rate or _RATE_EXPECTED) * capacity.latency * SLOTS_FACTOR)
        self._slots = max(settings.load.users, min(_SLOTS_MAXIMUM, slots))
        # Those that are asked for, or those that the cost allows.
        bounds = [capacity.requests, calls_for(capacity.cost) if capacity.cost else None]
        self._requests = min((bound for bound in bounds if bound is not None), default=None)
        self.load = self._load()

    def _check(self) -> None:
        capacity, target = self._capacity, self.settings.target
        if self.settings.load.model == CLOSED:
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
                f"capacity.at_least is {capacity.at_least:g}, above capacity.max_rate, {capacity.max_rate:g}, so it "
                "would never be tried: raise --max-rate or lower --at-least"
            )

    def _load(self) -> Load:
        capacity, requests = self._capacity, self._requests
        words = f"at most {requests:,}" if requests else f"as many as {capacity.seconds:g} s of rising rates take"
        if capacity.max_rate:
            words += f", up to {capacity.max_rate:g} a second,"
        return Load(requests, capacity.max_rate, words, self._slots)

    def plan(self, corpus: Corpus, run_folder: Path) -> Plan:
        """Return the plan by which it fires a corpus."""
        shortest, longest = _REST_SECONDS
        capacity = self._capacity.model_dump()
        rates = {name: capacity[name] for name in ("start_rate", "max_rate", "probe_seconds", "warm_up", "width")}
        # Every case once, to know which are answered wrongly at rest.
        rest = min(longest, max(shortest, ceil(len(corpus) / self._capacity.start_rate)))
        search = SearchPlan(
            Objectives(**{name: capacity[name] for name in Objectives.__slots__}),
            SearchRates(rest_seconds=rest, **rates),
            SearchLimits(self._capacity.seconds, self._requests),
            self._capacity.at_least,
            self.settings.load.users,
        )
        return replace(
            super().plan(corpus, run_folder),
            model=OPEN,
            warm_up=0.0,
            users=self._slots,
            # What waits longer than that is late anyway.
            patience=max(_PATIENCE_LEAST, SLOTS_FACTOR * self._capacity.latency),
            capacity=search,
        )

    def opening(self, plan: Plan) -> str:
        """Say how a plan of this scenario fires."""
        capacity = self._capacity
        return (
            f"Searching the highest rate at which {capacity.percentile:g} % of the answers come within "
            f"{capacity.latency * 1000:g} ms, from {capacity.start_rate:g} arrivals/s on, for at most "
            f"{plan.duration:g} s,"
        )
