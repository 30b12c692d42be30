"""The scenario steady: one rate."""

from __future__ import annotations

from gatecrash.scenarios.scenario import Scenario
from gatecrash.settings.settings import Settings


class SteadyScenario(Scenario):
    """One rate, or users at their own pace, for a while."""

    name = "steady"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, settings.load.duration)
