"""The scenarios of a run under load, one a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gatecrash.scenarios.capacity import Capacity
from gatecrash.scenarios.scenario import Scenario
from gatecrash.scenarios.soak import Soak
from gatecrash.scenarios.spike import Spike
from gatecrash.scenarios.steady import Steady
from gatecrash.settings.settings import Settings

# Those of `gatecrash run`, by their names.
LOADS: Final[Mapping[str, Callable[[Settings], Scenario]]] = {kind.name: kind for kind in (Steady, Spike, Soak)}
SCENARIOS: Final[Mapping[str, Callable[[Settings], Scenario]]] = {**LOADS, Capacity.name: Capacity}
