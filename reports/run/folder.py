"""The run folder: everything of a run, written so that a kill at any moment leaves something that renders."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.course.memory import MEMORY, MemorySample
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.plan.facts import FORMAT, RunInfo
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.workers import WorkerFacts
from gatecrash.reports.run.campaign import Campaign

_NUMBERS: Final = itertools.count()
RUN: Final = "run.json"
REPORT: Final = "report.html"
RECORDING: Final = "recording.json"
FINDINGS: Final = "findings"
CAMPAIGN: Final = "campaign.json"
STATISTICS: Final = "stats.json"
CAPACITY: Final = "capacity.json"
# What stops a run early that was started in Locust's web page: somebody there, or Locust's own end.
STOPPED_IN_WEB_PAGE: Final = "Locust's web page"
STOPPED_WITH_LOCUST: Final = "the end of Locust"
# What reading a value of another shape than ours raises.
_DAMAGE: Final = (AttributeError, KeyError, TypeError, ValueError)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run got, as of its last checkpoint.

    ``stopped_by`` names the signal or fault that ended it early, ``aborted_by`` says which threshold did;
    ``incidents`` are sentences about what went wrong with the measurement itself. ``cpu`` is the highest share of one
    core that a worker used, 0 to 1, ``master_cpu`` the same of a master, which only gathers. ``worker_facts`` tells of
    each worker of a master.
    """

    elapsed: float = 0.0
    complete: bool = False
    stopped_by: str | None = None
    workers: int = 1
    workers_lost: int = 0
    cpu: float = 0.0
    incidents: tuple[str, ...] = ()
    master_cpu: float = 0.0
    worker_facts: tuple[WorkerFacts, ...] = ()
    aborted_by: str = ""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it was read back from its folder; ``campaign`` is there for a fuzz run, ``capacity`` for a search."""

    info: RunInfo
    state: RunState
    recording: Recording
    findings: list[Finding]
    campaign: Campaign | None = None
    capacity: Capacity | None = None
    memory: tuple[MemorySample, ...] = ()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file in one step: readers see the old content or the new, never a part."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes another's place when all is written; when writing fails the old one stays."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_NUMBERS)}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class RunFolder:
    """One run's folder on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, parent: Path, name: str, now: datetime) -> RunFolder:
        """Make a new folder ``<UTC time>-<name>``; a number is added when it exists.

        Raises UsageError when the folder can't be made.
        """
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "run"
        base = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{plain}"
        for number in range(1, 1000):
            path = parent / (base if number == 1 else f"{base}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                if not parent.is_dir():
                    raise UsageError(f"the folder for runs, {parent}, is a file: name another with --runs") from None
                continue
            except OSError as error:
                raise UsageError(
                    f"can't make the run folder {path}: {error.strerror}; name another place with --runs"
                ) from error
            return cls(path)
        raise UsageError(f"{parent} has a thousand runs named {base}: clear it or name another place with --runs")

    def write_info(self, info: RunInfo) -> None:
        """Write run.json."""
        write_atomically(self.path / RUN, _pretty(info.to_json()))

    def checkpoint(self, recording: Recording, state: RunState, pause: Pause = no_pause) -> None:
        """Write what was recorded so far, a little at a time; nobody may add to the recording in the pauses."""
        with replacing(self.path / RECORDING) as file:
            for piece in recording.pieces(pause, state=codec.to_json(state)):
                file.write(piece)
                pause()

    def write_state(self, state: RunState) -> None:
        """Correct the state of the last checkpoint, for what only whoever started the run can know."""
        value = self._read(RECORDING) if (self.path / RECORDING).exists() else _empty_recording()
        write_atomically(self.path / RECORDING, wire.encode({**value, "state": codec.to_json(state)}))

    def write_findings(self, findings: list[Finding]) -> None:
        """Write one file a finding, numbered by rank; files of an earlier judgement go."""
        folder = self.path / FINDINGS
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink()
        for number, finding in enumerate(findings, 1):
            write_atomically(folder / f"{number:03d}-{finding.rule.code}.json", _pretty(finding.to_json()))

    def read_info(self) -> RunInfo:
        """Read run.json; raises UsageError when this is no run folder."""
        value = self._read(RUN)
        try:
            return _info(value)
        except _DAMAGE as error:
            raise self._damaged(RUN, error) from error

    def read_state(self) -> RunState:
        """Read how far the run got; a run that never reached a checkpoint has the initial state."""
        if not (self.path / RECORDING).exists():
            return RunState()
        value = self._read(RECORDING)
        try:
            return codec.from_json(value["state"], RunState)
        except _DAMAGE as error:
            raise self._damaged(RECORDING, error) from error

    def load(self) -> StoredRun:
        """Read the whole folder; raises UsageError when it is no run folder or is damaged."""
        info = self.read_info()
        state, recording = RunState(), Recording()
        if (self.path / RECORDING).exists():
            value = self._read(RECORDING)
            try:
                state, recording = codec.from_json(value["state"], RunState), Recording.from_json(value)
            except _DAMAGE as error:
                raise self._damaged(RECORDING, error) from error
        return StoredRun(
            info,
            state,
            recording,
            self._read_findings(),
            self._read_part(CAMPAIGN, Campaign),
            self._read_part(CAPACITY, Capacity),
            tuple(self._read_part(MEMORY, list[MemorySample]) or ()),
        )

    def write_campaign(self, campaign: Campaign) -> None:
        """Write campaign.json."""
        write_atomically(self.path / CAMPAIGN, _pretty(codec.to_json(campaign)))

    def write_capacity(self, capacity: Capacity) -> None:
        """Write capacity.json."""
        write_atomically(self.path / CAPACITY, _pretty(codec.to_json(capacity)))

    def _read_part(self, name: str, kind: type[_T]) -> _T | None:
        """Read a file that not every run has."""
        if not (self.path / name).exists():
            return None
        value = self._read(name)
        try:
            return codec.from_json(value, kind)
        except _DAMAGE as error:
            raise self._damaged(name, error) from error

    def _read_findings(self) -> list[Finding]:
        # By length first: number 1000 comes after 999.
        names = sorted(
            (path.name for path in (self.path / FINDINGS).glob("*.json")), key=lambda name: (len(name), name)
        )
        return [self._read_finding(f"{FINDINGS}/{name}") for name in names]

    def _read_finding(self, name: str) -> Finding:
        value = self._read(name)
        try:
            return Finding.from_json(value)
        except _DAMAGE as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> UsageError:
        return UsageError(
            f"{self.path / name} is damaged ({type(error).__name__} while reading): run again, or restore the file"
        )

    def _read(self, name: str) -> Any:
        path = self.path / name
        try:
            return wire.decode(path.read_bytes())
        except FileNotFoundError:
            raise UsageError(
                f"{self.path} is not a run folder: it has no {name}; name a folder that `gatecrash run` made"
            ) from None
        except (OSError, WireError) as error:
            raise UsageError(f"can't read {path}: {error}") from error


def _empty_recording() -> dict[str, Any]:
    value: dict[str, Any] = wire.decode(b"".join(Recording().pieces()))
    return value


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2, default=list).encode("utf-8", "surrogatepass") + b"\n"


def _info(value: Mapping[str, Any]) -> RunInfo:
    if value["format"] != FORMAT:
        raise UsageError(
            f"this run folder has format {value['format']}, this gatecrash reads format {FORMAT}: "
            "use the version that wrote it"
        )
    return RunInfo.from_json(value)
