"""Which cases each phase fires, in which order. Pure: the same corpus and seed give the same schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Expectation
from gatecrash.generators.corpus import CaseMeta

CONTROL_EVERY: Final = 40


@dataclass(frozen=True, slots=True)
class CaseBook:
    """The cases of a corpus by what they are good for; numbers are the cases' indices."""

    valid: tuple[int, ...]
    attacks: tuple[int, ...]
    denied: tuple[int, ...]
    identities: dict[int, int]
    carriers: dict[int, str]

    def without(self, unwanted: Callable[[int], bool]) -> CaseBook:
        """Return the book without the attacks that are not wanted."""
        attacks = tuple(index for index in self.attacks if not unwanted(index))
        denied = tuple(index for index in self.denied if not unwanted(index))
        return replace(self, attacks=attacks, denied=denied)

    @property
    def representatives(self) -> list[int]:
        """One valid case by each carrier, of different devices where there are several."""
        by_carrier: dict[str, int] = {}
        used: set[int] = set()
        for index in self.valid:
            carrier, identity = self.carriers[index], self.identities[index]
            if carrier not in by_carrier and identity not in used:
                by_carrier[carrier] = index
                used.add(identity)
        for index in self.valid:
            by_carrier.setdefault(self.carriers[index], index)
        return list(by_carrier.values())

    @property
    def denied_representatives(self) -> list[int]:
        """One case that must be denied by each carrier."""
        by_carrier: dict[str, int] = {}
        for index in self.denied:
            by_carrier.setdefault(self.carriers[index], index)
        return list(by_carrier.values())


def case_book(metas: Sequence[CaseMeta], fireable: Callable[[CaseMeta], bool]) -> CaseBook:
    """Sort the cases that can be fired."""
    usable = [meta for meta in metas if fireable(meta)]
    valid = [meta.index for meta in _distinct(meta for meta in usable if not meta.recipe["mutations"])]
    attacks = [meta.index for meta in usable if meta.recipe["mutations"]]
    denied = [
        meta.index
        for meta in usable
        if meta.recipe["mutations"] and meta.expectation is Expectation.DENY and not meta.view
    ]
    return CaseBook(
        tuple(valid),
        tuple(attacks),
        tuple(denied),
        {meta.index: int(meta.recipe["identity"]) for meta in usable},
        {meta.index: str(meta.recipe["carrier"]) for meta in usable},
    )


def _distinct(metas: Iterable[CaseMeta]) -> Iterator[CaseMeta]:
    """Leave out valid cases that differ from an earlier one in their salt alone."""
    seen: set[tuple[int, str, bytes]] = set()
    for meta in metas:
        recipe = meta.recipe
        key = (recipe["identity"], recipe["carrier"], wire.encode_sorted(recipe["surroundings"]))
        if key not in seen:
            seen.add(key)
            yield meta


def sequential_order(book: CaseBook, cases: Sequence[int]) -> list[int]:
    """Put valid controls between attacks: a good credential must stay good after bad ones."""
    order: list[int] = []
    for place, index in enumerate(cases):
        if place % CONTROL_EVERY == 0 and book.valid:
            order.append(book.valid[(place // CONTROL_EVERY) % len(book.valid)])
        order.append(index)
    return order


def interleaved_order(book: CaseBook, rounds: int, seed: int) -> list[int]:
    """Mix devices and decisions so that each often follows each other one."""
    rng = Random(f"interleaved:{seed}")
    valid = list(book.valid)
    denied = list(book.denied[: 4 * len(valid)]) or valid
    order: list[int] = []
    for _ in range(rounds):
        rng.shuffle(valid)
        for index in valid:
            order.append(index)
            if rng.random() < 0.5:
                order.append(rng.choice(denied))
    return order


def overlapping_groups(book: CaseBook, width: int, rounds: int, seed: int) -> list[list[int]]:
    """Return groups of cases whose invocations are to overlap: different devices, the same one, denied ones."""
    rng = Random(f"overlapping:{seed}")
    valid, denied = list(book.valid), list(book.denied)
    groups: list[list[int]] = []
    for number in range(rounds):
        if not valid:
            break
        if number % 3 == 0:
            groups.append([rng.choice(valid)] * width)
        elif number % 3 == 1 or not denied:
            groups.append([rng.choice(valid) for _ in range(width)])
        else:
            groups.append([rng.choice(valid if place % 2 else denied) for place in range(width)])
    return groups
