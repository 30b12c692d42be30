"""How fast cases are drawn, expanded and fired in one process, beside Hypothesis's own ``@given``.

Runs on one core, which the processes that it starts share, in interleaved rounds, and prints the medians::

    python -m tests.benchmarks.fuzzing --rounds 9 --recipes 1000

``ratio`` is the rate divided by that of ``@given`` in the same part of the table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from gatecrash.authorizers.contract import AuthorizerRequest, Outcome
from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.authorizers.targets.handler import HandlerTarget
from gatecrash.bench.bench import LaboratoryBench
from gatecrash.generators.cases import CaseMaker, Recipe, any_recipes
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.generators.seeded_draws import draw

SEED = 1
BATCH = 32
HANDLER = """
DENIAL = {
    "isAuthenticated": False,
    "principalId": "denied",
    "policyDocuments": [],
    "disconnectAfterInSeconds": 300,
    "refreshAfterInSeconds": 300,
}


def handler(event, context):
    return DENIAL
"""


@dataclass
class Row:
    """One thing that is measured: ``measure`` does it once and returns how many were done, and in how many seconds."""

    part: str
    name: str
    measure: Callable[[int], tuple[int, float]]
    is_given: bool = False
    rates: list[float] = field(default_factory=list)


def timed(count: int, work: Callable[[], object]) -> tuple[int, float]:
    started = time.perf_counter()
    work()
    return count, time.perf_counter() - started


def by_given(strategy: st.SearchStrategy, body: Callable[[object], object], count: int, number: int):
    """Call ``body`` with what ``@given`` draws; it may draw fewer than it was asked for."""
    called = 0

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def test(value):
        nonlocal called
        called += 1
        body(value)

    started = time.perf_counter()
    test()
    return called, time.perf_counter() - started


class Profile:
    """A credential profile, its recipes, and a stopwatch on its private key."""

    def __init__(self, name: str, credentials: dict[str, object], recipes: int) -> None:
        self.name = name
        self.recipes = recipes
        self.profile = open_profile(credentials, None)
        self.maker = CaseMaker(self.profile, Mix(), SEED, int(time.time()))
        self.strategy = any_recipes(self.profile, self.maker.attacks)
        self.signing = 0.0
        self.signs = credentials["kind"] == "jwt"
        if self.signs:
            # Each signature anew: those of earlier rounds are remembered.
            self._sign = self.profile._sign.__wrapped__
            self.profile._sign = self._timed_signature

    def _timed_signature(self, message: bytes) -> bytes:
        started = time.perf_counter()
        signature = self._sign(message)
        self.signing += time.perf_counter() - started
        return signature

    def drawn(self, number: int) -> list[Recipe]:
        """The recipes of a round, other ones in each: credentials that were made before are kept."""
        return [draw(self.strategy, SEED, number * self.recipes + place) for place in range(self.recipes)]

    def draw(self, number: int):
        return timed(self.recipes, lambda: self.drawn(number))

    def draw_by_given(self, number: int):
        return by_given(self.strategy, lambda _: None, self.recipes, number)

    def expand(self, number: int):
        recipes = self.drawn(number)
        return timed(self.recipes, lambda: [self.maker.make(recipe) for recipe in recipes])

    def draw_and_expand(self, number: int):
        # Other recipes than those of ``expand``, whose credentials are still there.
        return timed(self.recipes, lambda: [self.maker.make(recipe) for recipe in self.drawn(1000 + number)])

    def draw_and_expand_by_given(self, number: int):
        return by_given(self.strategy, self.maker.make, self.recipes, 1000 + number)

    def sign(self, _: int):
        messages = [b"%d" % place for place in range(self.recipes)]
        return timed(self.recipes, lambda: [self.profile._sign(message) for message in messages])

    def unsigned(self, measure: Callable[[int], tuple[int, float]]) -> Callable[[int], tuple[int, float]]:
        """The same without the time that the private key takes."""

        def measured(number: int):
            self.signing = 0.0
            # Far from the other rounds, for the same reason.
            count, seconds = measure(100_000 + number)
            return count, seconds - self.signing

        return measured

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.name}: recipes drawn", "gatecrash", self.draw)
        yield Row(f"{self.name}: recipes drawn", "@given", self.draw_by_given, is_given=True)
        yield Row(f"{self.name}: recipes expanded", "gatecrash", self.expand)
        yield Row(f"{self.name}: drawn and expanded", "gatecrash", self.draw_and_expand)
        yield Row(f"{self.name}: drawn and expanded", "@given", self.draw_and_expand_by_given, is_given=True)
        if self.signs:
            unsigned = f"{self.name} without the time for signing"
            yield Row(f"{self.name}: signatures alone", "gatecrash", self.sign)
            yield Row(f"{unsigned}: expanded", "gatecrash", self.unsigned(self.expand))
            part = f"{unsigned}: drawn and expanded"
            yield Row(part, "gatecrash", self.unsigned(self.draw_and_expand))
            yield Row(part, "@given", self.unsigned(self.draw_and_expand_by_given), is_given=True)


class Firing:
    """A trivial handler, and requests of the password profile."""

    def __init__(self, profile: Profile, handler: Path, requests: int) -> None:
        self.profile = profile
        self.requests = requests
        self._settings = HandlerSettings(f"{handler}:handler")
        self.bench = LaboratoryBench(self._settings)
        self.environment = self.bench.environment()
        self.target = HandlerTarget(self._settings)
        made = [profile.maker.make(recipe).request for recipe in profile.drawn(0)]
        self.ready = [made[place % len(made)] for place in range(requests)]
        outcomes = {answer.outcome for answer in self.environment.invoke_all(made)}
        assert outcomes <= {Outcome.DENY, Outcome.REJECTED}, outcomes

    def close(self) -> None:
        self.environment.close()
        self.bench.close()

    def pipelined(self, _: int):
        return timed(self.requests, lambda: self.environment.invoke_all(self.ready))

    def one_at_a_time(self, _: int):
        return timed(self.requests, lambda: [self.environment.invoke(request) for request in self.ready])

    def in_this_process(self, _: int):
        return timed(self.requests, lambda: [self.target.invoke(request) for request in self.ready])

    def by_given(self, number: int):
        # Numbers are what Hypothesis draws most cheaply; a range so wide that it doesn't run out of examples.
        places = st.integers(0, 2**32)
        return by_given(
            places, lambda place: self.target.invoke(self.ready[place % len(self.ready)]), self.requests, number
        )

    def made(self, number: int) -> list[AuthorizerRequest]:
        return [self.profile.maker.make(recipe).request for recipe in self.profile.drawn(2000 + number)]

    def whole_pipelined(self, number: int):
        def work() -> None:
            requests = self.made(number)
            for start in range(0, len(requests), BATCH):
                self.environment.invoke_all(requests[start : start + BATCH])

        return timed(self.profile.recipes, work)

    def whole_in_this_process(self, number: int):
        return timed(self.profile.recipes, lambda: [self.target.invoke(request) for request in self.made(number)])

    def whole_by_given(self, number: int):
        maker = self.profile.maker
        return by_given(
            self.profile.strategy,
            lambda recipe: self.target.invoke(maker.make(recipe).request),
            self.profile.recipes,
            number,
        )

    def rows(self) -> Iterator[Row]:
        part = "requests that are there, fired"
        yield Row(part, "isolated process, pipelined", self.pipelined)
        yield Row(part, "isolated process, one at a time", self.one_at_a_time)
        yield Row(part, "this process", self.in_this_process)
        yield Row(part, "@given, this process", self.by_given, is_given=True)
        part = "drawn, expanded and fired"
        yield Row(part, f"isolated process, {BATCH} at a time", self.whole_pipelined)
        yield Row(part, "this process", self.whole_in_this_process)
        yield Row(part, "@given, this process", self.whole_by_given, is_given=True)


def credentials(folder: Path) -> dict[str, dict[str, object]]:
    """Write tables and a key into a folder and return the settings of the profiles."""
    devices = [{"username": f"user-{i}", "password": f"Password-{i:04}", "client_id": f"user-{i}"} for i in range(50)]
    keys = [{"key": f"Key-{i:04}-{i * 7919:08x}", "tenant": f"tenant-{i}"} for i in range(50)]
    for name, rows in (("devices", devices), ("keys", keys)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "key.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    claims = {"iss": "https://issuer.example", "aud": "iot-devices", "sub": "{identity}"}
    return {
        "password": {"kind": "password", "table": str(folder / "devices.jsonl")},
        "api_key": {"kind": "api_key", "table": str(folder / "keys.jsonl"), "query": {"tenant": "{tenant}"}},
        "jwt RS256": {"kind": "jwt", "private_key": str(folder / "key.pem"), "key_id": "k1", "claims": claims},
    }


def measure(rows: Sequence[Row], rounds: int) -> None:
    """Measure all rows in turn, again and again, so that what disturbs the machine disturbs all of them."""
    for number in range(rounds + 1):
        for row in rows:
            count, seconds = row.measure(number)
            if number:  # the first round warms up
                row.rates.append(count / seconds)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of the table."""
    yield f"{'':<36} {'median /s':>10} {'lowest':>9} {'highest':>9} {'ratio':>6}"
    part = ""
    for row in rows:
        if row.part != part:
            part = row.part
            yield part
        beside = next((median(other.rates) for other in rows if other.part == part and other.is_given), None)
        ratio = f"{median(row.rates) / beside:.1f}" if beside else "-"
        yield (
            f"  {row.name:<34} {median(row.rates):>10,.0f} {min(row.rates):>9,.0f} {max(row.rates):>9,.0f} {ratio:>6}"
        )


def one_core() -> str:
    """Keep this process, and those that it starts from now on, to one core where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        return "on any core"
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"on core {core}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count; one more warms up")
    parser.add_argument("--recipes", type=int, default=250, help="recipes of a round, of each profile")
    parser.add_argument("--requests", type=int, default=2000, help="requests of a round at the handler")
    parser.add_argument("--any-core", action="store_true", help="don't keep to one core")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        set_hypothesis_home_dir(folder / "hypothesis")
        stack.callback(set_hypothesis_home_dir, None)
        handler = folder / "trivial.py"
        handler.write_text(HANDLER)
        profiles = [Profile(name, members, given.recipes) for name, members in credentials(folder).items()]
        where = "on any core" if given.any_core else one_core()
        firing = Firing(profiles[0], handler, given.requests)
        stack.callback(firing.close)
        rows = [row for profile in profiles for row in profile.rows()] + list(firing.rows())
        measure(rows, given.rounds)
    print(
        f"Python {sys.version.split()[0]}, {where}; medians of {given.rounds} interleaved rounds of {given.recipes} "
        f"recipes and {given.requests} requests"
    )
    print("\n".join(table(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
