"""How much memory the processes of a run on this machine take, from its start to its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

MEMORY: Final = "memory.json"
# A process that lived for less of the time that was watched says nothing of growth.
_LIVED: Final = 0.5


class MemorySample(NamedTuple):
    """The private memory of one process at a time: ``elapsed`` seconds, ``private`` bytes."""

    elapsed: float
    role: str
    process_id: int
    private: int


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """A process's private memory in bytes at its first and last sample, and the most of all."""

    role: str
    process_id: int
    first: int
    last: int
    highest: int
    seconds: float


def memory_rows(samples: Iterable[MemorySample]) -> list[MemoryRow]:
    """Return a row for each process that lived for at least half of the time, in the order of their roles."""
    by_process: dict[tuple[str, int], list[MemorySample]] = {}
    for sample in samples:
        by_process.setdefault((sample.role, sample.process_id), []).append(sample)
    spans = {key: seen[-1].elapsed - seen[0].elapsed for key, seen in by_process.items()}
    longest = max(spans.values(), default=0.0)
    return [
        MemoryRow(
            role, process_id, seen[0].private, seen[-1].private, max(sample.private for sample in seen), spans[key]
        )
        for key, seen in sorted(by_process.items())
        for role, process_id in (key,)
        if spans[key] >= _LIVED * longest
    ]
