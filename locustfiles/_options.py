"""Options of a locustfile under plain ``locust``, and the plan that they come to.

Options travel from master to workers in the clear, so none of them holds a secret: the plan names files.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from locust import events
from locust.argument_parser import LocustArgumentParser

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.reports.plan.plan import MODELS, OPEN, Plan

_SCENARIOS: Final = ("steady", "spike", "soak")


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add gatecrash's options to Locust's.

    Neither Locust's web page nor its master asks who is there: unless told otherwise, both listen on this machine only.
    """
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1")
    parser.add_argument(
        "--plan",
        metavar="FILE",
        default="",
        include_in_web_ui=False,
        help="plan to follow, as `gatecrash plan` writes it; without one it is made from gatecrash.toml, "
        "or for the embedded gateway and the sample authorizer",
    )
    parser.add_argument(
        "--settings",
        metavar="FILE",
        default="",
        include_in_web_ui=False,
        help="of a worker: settings to build the corpus from, as `gatecrash worker` writes them; without them "
        "gatecrash.toml of this folder",
    )
    parser.add_argument("--rate", type=float, default=None, help="arrivals a second, over all workers")
    parser.add_argument("--duration", type=float, default=None, help="seconds that are measured")
    parser.add_argument("--warm-up", type=float, default=None, help="seconds before them that are kept apart")
    parser.add_argument("--model", choices=MODELS, default=None, help="open: arrivals by schedule; closed: users' pace")


def plan_from_options(options: argparse.Namespace | None, *, capacity: bool = False) -> Plan:
    """Return the plan that the options come to, for a search for ``capacity`` where the locustfile has its shape.

    Raises UsageError for a file that holds none, or one of the other kind.
    """
    if options is None:
        raise UsageError("Locust gave no options: start it by its command line")
    scenario = "capacity" if capacity else _scenario_of(options)
    path = Path(options.plan) if options.plan else _default_plan(scenario)
    try:
        plan = Plan.from_json(wire.decode(path.read_bytes()))
    except OSError as error:
        raise UsageError(f"--plan: can't read {path}: {error.strerror}") from None
    except (WireError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"--plan: {path} holds no plan; `gatecrash plan` writes one") from error
    if capacity != (plan.capacity is not None):
        raise UsageError(
            f"--plan: {path} is for another locustfile; `gatecrash plan --scenario {scenario}` writes one for this"
        )
    return with_overrides(plan, options)


def with_overrides(plan: Plan, options: argparse.Namespace) -> Plan:
    """Return a plan with the values that were given as options, on the command line or in the web page."""
    given: dict[str, Any] = {}
    if getattr(options, "model", None):
        given["model"] = options.model
    for name in ("rate", "duration", "warm_up"):
        # The web page gives text, and nothing at all for what was left empty.
        if getattr(options, name, None) not in (None, ""):
            given[name] = _number(name, getattr(options, name))
    if plan.stages:
        # Their seconds are the plan's.
        given.pop("duration", None)
    plan = replace(plan, **given)
    if (plan.model == OPEN and plan.rate <= 0) or plan.duration <= 0 or plan.warm_up < 0:
        raise UsageError("--rate and --duration must be above 0, --warm-up at least 0")
    return plan


def propose_users(plan: Plan, options: argparse.Namespace | None) -> None:
    """Have Locust start the plan's users at once, and propose them in its web page, where nobody said how many.

    Its own default is a single one, which as a single slot fires a fraction of most rates.
    """
    if options is None:
        return
    if options.num_users is None:
        options.num_users = plan.users
    if options.spawn_rate is None:
        options.spawn_rate = float(options.num_users)


def _scenario_of(options: argparse.Namespace) -> str:
    """Return the scenario that a locustfile is named after; one of somebody's own has a steady plan."""
    stem = Path(str(getattr(options, "locustfile", ""))).stem
    return stem if stem in _SCENARIOS else "steady"


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"--{name.replace('_', '-')} is {value!r}; it must be a number") from None


def _default_plan(scenario: str) -> Path:
    """Have the command make a plan: settings and generators are none of a locustfile's business."""
    command = [sys.executable, "-P", "-m", "gatecrash", "plan", "--scenario", scenario]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode != 0:
        raise UsageError(f"`gatecrash plan` ended with exit code {made.returncode}: see above")
    return Path(made.stdout.strip().splitlines()[-1])
