"""What is told and asked before requests leave this machine, whichever service they go to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final

import click
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.run.plan import CLOSED
from gatecrash.settings.settings import Settings

# Lambda's request price and the price of 128 MB for 100 ms in most regions, in dollars; see docs/aws.md.
_DOLLARS_PER_REQUEST: Final = 0.20 / 1_000_000
_DOLLARS_PER_DURATION: Final = 0.0000166667 * 0.125 * 0.1


@dataclass(frozen=True, slots=True)
class Load:
    """What will be fired: how many calls (None: as many as users make), how many a second (None: no bound).

    ``at_once`` is how many calls there may be at the same time.
    """

    calls: int | None
    rate: float | None
    in_words: str
    at_once: int


def planned_load(settings: Settings, seconds: float | None = None) -> Load:
    """Return the load that a run's settings plan, for so many seconds; the closed model plans users, not calls."""
    load = settings.load
    seconds = load.warm_up + load.duration if seconds is None else seconds
    if load.model == CLOSED:
        return Load(None, None, f"as many as {load.users} users make in {seconds:g} s", load.users)
    calls = round(load.rate * seconds)
    return Load(calls, load.rate, str(calls), load.users)


def refuse_handler(settings: Settings) -> None:
    """Raise UsageError for a handler of this machine, which a deployed authorizer doesn't run."""
    if settings.authorizer.handler is not None:
        what = "authorizer" if settings.target.kind == "iot" else "function"
        raise UsageError(
            "--handler (authorizer.handler) names a handler on this machine, but --target (target.kind) is "
            f"{settings.target.kind}, which fires at a deployed {what}: leave one of the two out"
        )


def cost_in_words(load: Load) -> str:
    """Estimate what a load costs, for a function of 128 MB that takes 100 ms."""
    each = _DOLLARS_PER_REQUEST + _DOLLARS_PER_DURATION
    if load.calls is None:
        return f"about {each * 1e6:.2f} US dollars a million calls"
    return f"about {load.calls * each:.4f} US dollars"


def calls_for(dollars: float) -> int:
    """Return how many calls a sum pays for, of a function of 128 MB that takes 100 ms."""
    return int(dollars / (_DOLLARS_PER_REQUEST + _DOLLARS_PER_DURATION))


def show_facts(console: Console, *facts: tuple[str, Any]) -> None:
    """Show what will happen, a fact a line."""
    for name, value in facts:
        console.print(f"{name:<11} {value}", highlight=False, markup=False, soft_wrap=True)


def beware(console: Console, sentence: str) -> None:
    """Point something out."""
    console.print(f"Beware: {sentence}", highlight=False, markup=False, style="yellow", soft_wrap=True)


def confirm(*, yes: bool) -> None:
    """Ask whether to fire, unless ``yes`` answers it; raises UsageError for a no, and when nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("not fired: there is no terminal to ask at; --yes answers the question in a script")
    if not click.confirm("Fire?", default=False):
        raise UsageError("not fired: the question was answered with no; --yes answers it in a script")
