"""Where single requests and short sequences are fired: fresh environments of a laboratory, or any other target."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Protocol, Self

from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.laboratory.laboratory import IsolatedEnvironment, Laboratory
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.front import TOKEN_KEY_NAME_DEFAULT, HandlerSettings
from gatecrash.authorizers.targets.protocol import Target
from gatecrash.generators.attacks import DEVICE_VIEW, UNSIGNED_VIEW
from gatecrash.generators.cases import Case, CaseMaker, Recipe
from gatecrash.generators.corpus import CaseMeta, Corpus
from gatecrash.planning.corpora import facts_of, facts_of_case
from gatecrash.reports.recording.records import CaseFacts

# Handlers that wait for something are slow without using a core: many of them wait at the same time.
SLOW_SECONDS: Final = 0.005
# How requests overlap: so many at a time, so often. A replay overlaps as the proof did.
OVERLAPPING_WIDTH: Final = 8
OVERLAPPING_ROUNDS: Final = 60
PARALLEL_MAXIMUM: Final = 16


@dataclass(frozen=True, slots=True)
class Shot:
    """A request and the settings of the authorizer under which it is fired."""

    request: AuthorizerRequest
    view: str = ""

    @classmethod
    def of(cls, case: Case) -> Self:
        """Return a case's shot."""
        return cls(case.request, case.view)


class Shots:
    """Looks the cases of a corpus up, each once, and makes new ones of recipes."""

    def __init__(self, corpus: Corpus, maker: CaseMaker) -> None:
        self.corpus = corpus
        self.maker = maker
        self._metas: dict[int, CaseMeta] = {}
        self._facts: dict[int, CaseFacts] = {}

    def of(self, index: int) -> Shot:
        """Return a case's shot."""
        return Shot(self.corpus.request(index), self.meta(index).view)

    def meta(self, index: int) -> CaseMeta:
        """Return what the corpus tells of a case."""
        if index not in self._metas:
            self._metas[index] = self.corpus.meta(index)
        return self._metas[index]

    def facts(self, index: int) -> CaseFacts:
        """Return what a report may know of a case."""
        if index not in self._facts:
            self._facts[index] = facts_of(self.corpus, index)
        return self._facts[index]

    def recipe(self, index: int) -> Recipe:
        """Return a case's recipe."""
        return Recipe.from_json(self.meta(index).recipe)

    def make(self, recipe: Recipe, index: int = 0) -> tuple[Shot, CaseFacts]:
        """Make a recipe's shot, and what a report may know of it."""
        case = self.maker.make(recipe, index)
        return Shot.of(case), facts_of_case(case)


class OutOfBudgetError(Exception):
    """No more requests may be sent."""


class Bench(Protocol):
    """Fires shots outside the phases. ``requests`` counts them; ``isolated`` tells whether environments are fresh."""

    requests: int
    isolated: bool

    def can_fire(self, view: str) -> bool:
        """Say whether shots of a view can be fired here."""
        ...

    def fire(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots one after the other in one fresh environment, where there is such a thing."""
        ...

    def fire_at_once(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots so that their invocations overlap, each in an environment of its own."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class LaboratoryBench:
    """Fires at a Python handler in isolated environments, also with signing disabled where tokens are signed."""

    isolated = True

    def __init__(self, settings: HandlerSettings) -> None:
        self.requests = 0
        self.settings = settings
        self.laboratory = Laboratory(settings)
        self._unsigned: Laboratory | None = None
        self._overlapping: list[IsolatedEnvironment] = []

    def can_fire(self, view: str) -> bool:  # noqa: ARG002 - every view can be brought about here
        """Say whether shots of a view can be fired here: all can."""
        return True

    def environment(self, view: str = "") -> IsolatedEnvironment:
        """Start a fresh environment, of the authorizer that a view asks for."""
        return (self._laboratory_without_signing() if view == UNSIGNED_VIEW else self.laboratory).environment()

    def _laboratory_without_signing(self) -> Laboratory:
        if self._unsigned is None:
            key_name = self.settings.token_key_name or TOKEN_KEY_NAME_DEFAULT
            self._unsigned = Laboratory(replace(self.settings, signing_keys={}, token_key_name=key_name))
        return self._unsigned

    def fire(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots one after the other in one fresh environment; those without signing in another."""
        answers: dict[int, Answer] = {}
        for unsigned in (False, True):
            places = [place for place, shot in enumerate(shots) if (shot.view == UNSIGNED_VIEW) is unsigned]
            if places:
                with self.environment(UNSIGNED_VIEW if unsigned else "") as environment:
                    fired = fire_in(environment, [shots[place] for place in places])
                answers |= dict(zip(places, fired, strict=True))
        self.requests += len(shots)
        return [answers[place] for place in range(len(shots))]

    def fire_at_once(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots at the same time; environments are kept from one call to the next."""
        while len(self._overlapping) < len(shots):
            self._overlapping.append(self.environment())
        self.requests += len(shots)
        return self.laboratory.concurrently([shot.request for shot in shots], self._overlapping[: len(shots)])

    def close(self) -> None:
        """End all environments."""
        for environment in self._overlapping:
            environment.close()
        self.laboratory.close()
        if self._unsigned is not None:
            self._unsigned.close()


def fire_in(
    environment: IsolatedEnvironment, shots: Sequence[Shot], seconds: float = LAMBDA_SECONDS_MAXIMUM
) -> list[Answer]:
    """Fire shots in order in one environment, runs of the same view together; ``seconds`` is the limit of each."""
    answers: list[Answer] = []
    for view, alike in groupby(shots, key=lambda shot: shot.view):
        dialect = Dialect.DEVICE if view == DEVICE_VIEW else None
        answers += environment.invoke_all([shot.request for shot in alike], seconds, dialect)
    return answers


class TargetBench:
    """Fires at a gateway or at AWS, within a rate (requests a second, None: no bound) and a budget of requests.

    The target is whoever opened it to close.
    """

    isolated = False

    def __init__(self, target: Target, *, rate: float | None, budget: float = math.inf) -> None:
        self.requests = 0
        self._target = target
        self._gap = 1.0 / rate if rate else 0.0
        self._budget = budget
        self._next = time.monotonic()
        self._pool = ThreadPoolExecutor(PARALLEL_MAXIMUM)

    def can_fire(self, view: str) -> bool:
        """Only what a request itself brings about can be fired here."""
        return not view

    def fire(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots one after the other; the target chooses the environments."""
        return [self._fire_one(shot) for shot in shots]

    def fire_at_once(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots at the same time, where the rate allows it."""
        if self._gap:
            return self.fire(shots)
        self._spend(len(shots))
        return list(self._pool.map(lambda shot: self._target.invoke(shot.request), shots))

    def _fire_one(self, shot: Shot) -> Answer:
        self._spend(1)
        if self._gap:
            wait = self._next - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._next = max(time.monotonic(), self._next) + self._gap
        return self._target.invoke(shot.request)

    def _spend(self, count: int) -> None:
        if self.requests + count > self._budget:
            raise OutOfBudgetError
        self.requests += count

    def close(self) -> None:
        """Give the threads back."""
        self._pool.shutdown()
