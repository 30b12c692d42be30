"""What run.json tells of a run's load, of what was fired at, and of the requests. None of it is a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from gatecrash.reports.capacity.objectives import Objectives
from gatecrash.reports.recording import codec

# The version of the run folder's format.
FORMAT: Final = 2
# Kinds of targets that run an authorizer at AWS, and no handler of this machine.
AWS_KINDS: Final = frozenset({"iot", "lambda"})


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of an open schedule: so many arrivals a second for so many seconds."""

    name: str
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """Of how many ``devices`` and distinct ``requests`` a spike is, and how many of its arrivals are ``attacks``."""

    devices: int
    requests: int
    attacks: int


@dataclass(frozen=True, slots=True)
class SearchRates:
    """Which rates a capacity search fires, in arrivals a second, and how long each.

    ``width`` is how wide the interval may be in the end, as a share of its middle.
    """

    start_rate: float
    max_rate: float | None
    rest_seconds: float
    probe_seconds: float
    warm_up: float
    width: float


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What a capacity search may take; None bounds nothing."""

    seconds: float | None
    requests: int | None


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A capacity search: its objectives, its rates, its limits, and the rate that must be held ``at_least``.

    ``users_least`` is how many slots there are at any rate.
    """

    objectives: Objectives
    search: SearchRates
    limits: SearchLimits
    at_least: float | None = None
    users_least: int = 0


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The load that was asked for, as a ``Plan`` has it; None is what a run of its kind doesn't say."""

    processes: int | None = None
    scenario: str = "steady"
    fleet: Fleet | None = None
    model: str | None = None
    arrivals: str | None = None
    rate: float | None = None
    duration: float | None = None
    warm_up: float | None = None
    users: int | None = None
    patience: float | None = None
    wait_time: float | None = None
    stages: tuple[Stage, ...] = ()
    capacity: SearchPlan | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value, in which a search's members stand beside the others."""
        value = codec.to_json(self)
        search = value.pop("capacity") or {}
        return _known(value) | search

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PlanFacts:
        """Read what ``to_json`` wrote; raises ValueError for what it didn't."""
        facts = codec.from_json(value, cls)
        return replace(facts, capacity=codec.from_json(value, SearchPlan)) if "objectives" in value else facts


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What was fired at; None is what a target of its kind doesn't say. A handler may be a command, with arguments."""

    kind: str = "unknown"
    authorizer: str | None = None
    client: str | None = None
    handler: str | list[str] | None = None
    dialect: str | None = None
    region: str | None = None
    endpoint: str | None = None
    function: str | None = None
    script: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        aws = {"region": self.region, "endpoint": self.endpoint} if self.kind in AWS_KINDS else {}
        return _known(codec.to_json(self)) | aws


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """Which requests were fired, as the manifest of their corpus says it, and the ``folder`` that holds them."""

    digest: str | None = None
    content_digest: str | None = None
    cases: int | None = None
    distinct: int | None = None
    seed: int | None = None
    minted_at: int | None = None
    lifetime: int | None = None
    profile: str | None = None
    valid_share: float | None = None
    generation: int | None = None
    families: Mapping[str, int] = field(default_factory=dict)
    in_turn: bool = False
    identities: int = 0
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What was meant to be run: the content of run.json. ``settings`` are those of gatecrash.toml, by section."""

    name: str
    started_at: str
    seed: int
    plan: PlanFacts
    target: TargetFacts
    corpus: CorpusFacts
    versions: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def starting_now(self) -> RunInfo:
        """Return the same of a run that starts at this moment."""
        return replace(self, started_at=datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {**codec.to_json(self), "plan": self.plan.to_json(), "target": self.target.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunInfo:
        """Read what ``to_json`` wrote; raises ValueError for what it didn't."""
        return replace(codec.from_json(value, cls), plan=PlanFacts.from_json(value["plan"]))


def _known(value: Mapping[str, Any]) -> dict[str, Any]:
    members = {name: list(member) if isinstance(member, tuple) else member for name, member in value.items()}
    return {name: member for name, member in members.items() if member is not None and member != []}
