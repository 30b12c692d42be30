"""What every scenario of a run under load has: settings, a load, a plan, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gatecrash.generators.corpus import Corpus
from gatecrash.planning.load import planned_load
from gatecrash.planning.plans import run_info
from gatecrash.reports.live.metrics_settings import metrics_settings, require_extra
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.plan.plan import OPEN, Plan
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import steady_rate, target_settings


class Scenario:
    """A kind of load: one rate, or users at their own pace, where a subclass says nothing else.

    ``name`` is also that of the locustfile that fires it. ``settings`` are those given, completed by what the scenario
    sets where they don't; ``measured_seconds`` are a part of the ``seconds`` that it fires at most. ``highest_rate`` is
    the highest planned one, in arrivals a second: 0 where users keep their own pace, inf where none is. ``load`` is
    what it puts on a target at most. Making one raises UsageError for settings that it can't work with.
    """

    name: ClassVar[str]

    def __init__(self, settings: Settings, measured_seconds: float) -> None:
        require_extra(metrics_settings(settings.metrics.model_dump()))
        self.settings = settings
        self.measured_seconds = measured_seconds
        self.seconds = settings.load.warm_up + measured_seconds
        self.highest_rate = steady_rate(settings)
        self.load = planned_load(settings, self.seconds)

    def plan(self, corpus: Corpus, run_folder: Path) -> Plan:
        """Return the plan by which it fires a corpus."""
        settings = self.settings
        target = target_settings(settings, self.highest_rate)
        load = settings.load.model_dump(exclude={"processes"})
        return Plan(
            run_folder=str(run_folder.resolve()),
            corpus=str(corpus.folder.resolve()),
            target=target,
            seed=settings.corpus.seed,
            **{**load, "duration": self.measured_seconds},
            info=run_info(settings, corpus, PlanFacts(settings.load.processes, self.name), target),
        )

    def opening(self, plan: Plan) -> str:
        """Say how a plan of this scenario fires."""
        pace = f"{plan.rate:g} arrivals/s" if plan.model == OPEN else f"{plan.users} users"
        return f"Firing  {pace} for {plan.duration:g} s after {plan.warm_up:g} s of warm-up"
