"""Drawing from a Hypothesis strategy by seed and index.

``@given`` can't do this: it keeps what it drew, offers no random access and re-seeds the global generator. This
module uses Hypothesis's internal ConjectureData instead (the version is pinned, ``tests/generators/test_draws.py``
guards it). The same seed and index give the same value in every process and on every machine, because the
literals of imported modules, which Hypothesis mixes in and caches for the whole process, are left out.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, TypeVar

from hypothesis.control import BuildContext
from hypothesis.errors import StopTest, UnsatisfiedAssumption
from hypothesis.internal.conjecture.choice import choice_constraints_key, choice_permitted
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.internal.conjecture.providers import GLOBAL_CONSTANTS, HypothesisProvider
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
_ATTEMPTS: Final = 100
_PERMITTED: Final[dict[Any, tuple[Any, ...]]] = {}


class _Provider(HypothesisProvider):
    """Hypothesis's own source of choices, without the literals of whatever modules happen to be imported."""

    def _maybe_draw_constant(self, choice_type: Any, constraints: Any, *, p: float = 0.05) -> Any:
        """Draw one of Hypothesis's own awkward values, now and then; its cache of them isn't used."""
        assert self._random is not None  # noqa: S101 - it is given to ConjectureData
        if self._random.random() > p:
            return None
        key = (choice_type, choice_constraints_key(choice_type, constraints))
        if key not in _PERMITTED:
            values = GLOBAL_CONSTANTS.set_for_type(choice_type)
            _PERMITTED[key] = tuple(value for value in values if choice_permitted(value, constraints))
        return self._random.choice(_PERMITTED[key]) if _PERMITTED[key] else None


def draw(strategy: SearchStrategy[T], seed: int, index: int) -> T:
    """Draw the value that belongs to a seed and an index."""
    for attempt in range(_ATTEMPTS):
        data = ConjectureData(random=Random(f"{seed}:{index}:{attempt}"), provider=_Provider)
        try:
            return draw_from(data, strategy)
        except (StopTest, UnsatisfiedAssumption):
            continue
    raise RuntimeError(f"no value of {strategy!r} satisfied its own filters in {_ATTEMPTS} attempts")


def draw_from(data: ConjectureData, strategy: SearchStrategy[T]) -> T:
    """Draw a value from what Hypothesis draws from."""
    with BuildContext(data, is_final=False, wrapped_test=_nothing):
        return data.draw(strategy)


def _nothing() -> None:
    """Stand in for the test function that Hypothesis thinks it runs."""
