"""The scenario soak: one rate for long, to see what drifts."""

from __future__ import annotations

from gatecrash.scenarios.scenario import Scenario
from gatecrash.settings.settings import Settings


class SoakScenario(Scenario):
    """One rate, or users at their own pace, for long."""

    name = "soak"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, settings.soak.duration)
