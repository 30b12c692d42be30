"""The scenarios of a run under load, one a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gatecrash.scenarios.capacity import CapacityScenario
from gatecrash.scenarios.scenario import Scenario
from gatecrash.scenarios.soak import SoakScenario
from gatecrash.scenarios.spike import SpikeScenario
from gatecrash.scenarios.steady import SteadyScenario
from gatecrash.settings.settings import Settings

# Those of `gatecrash run`, by their names.
LOADS: Final[Mapping[str, Callable[[Settings], Scenario]]] = {
    kind.name: kind for kind in (SteadyScenario, SpikeScenario, SoakScenario)
}
SCENARIOS: Final[Mapping[str, Callable[[Settings], Scenario]]] = {**LOADS, CapacityScenario.name: CapacityScenario}
