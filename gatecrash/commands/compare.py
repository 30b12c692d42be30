"""``gatecrash compare``: what got better and what got worse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from gatecrash.authorizers.errors import UsageError
from gatecrash.judging.comparison_by_turns import check_live, compare_live
from gatecrash.judging.comparisons import LAST, LAST_GOOD, compare_folders, comparison_json, earlier_run
from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.files import as_markdown
from gatecrash.reports.html import report as as_html
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.text import comparison as text_comparison
from gatecrash.running.run import build_with_progress
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings
from gatecrash.terminal import progress_bar, say, write_output

_WRITERS: Final[dict[str, Callable[[Comparison], bytes]]] = {
    ".html": as_html.render_comparison,
    ".json": comparison_json,
    ".md": as_markdown.render_comparison,
}
# What starting both gateways may take beside the firing.
_START_SECONDS: Final = 60.0


@click.command(short_help="Say what got worse from one run to another.")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[EARLIER LATER]")
@settings_options("compare")
@click.option("--with", "other", default=None, help="the later version of --handler: both are fired at, by turns")
@click.option("--seconds", type=click.FloatRange(min=0), default=20.0, show_default=True, help="how long, for --with")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="page (.html), numbers (.json) or summary (.md) to write; may be repeated",
)
def compare(
    settings: Settings, *, runs: tuple[Path, ...], other: str | None, seconds: float, outputs: tuple[Path, ...]
) -> int:
    """Compare the run folders EARLIER and LATER, or two versions of a handler.

    EARLIER may be `last` or `last-good`: the newest run beside LATER, of the same name and settings, that came before
    it. With --handler OLD --with NEW the same requests are fired at both handlers by turns.

    The exit code is 1 when something got worse, 2 when the two can't be compared.
    """
    for path in outputs:
        if path.suffix not in _WRITERS:
            raise UsageError(
                f"--output {path}: end the name in .html for a page, in .json for the numbers or in .md for a summary"
            )
    console = Console()
    comparison = _of_handlers(settings, other, runs, seconds, console) if other else _of_runs(settings, runs)
    text_comparison.write(comparison, console)
    for path in outputs:
        write_output(path, _WRITERS[path.suffix](comparison))
        say(console, f"Wrote  {path}")
    if comparison.refused:
        return int(ExitCode.USAGE)
    return int(ExitCode.THRESHOLD_FAILED if comparison.is_worse else ExitCode.PASS)


def _of_runs(settings: Settings, runs: tuple[Path, ...]) -> Comparison:
    if len(runs) != 2:
        raise UsageError(
            f"{len(runs)} run folders are named, but two are compared: gatecrash compare EARLIER LATER; or two "
            "handlers: gatecrash compare --handler old.py:handler --with new.py:handler"
        )
    named, later = runs
    info = RunFolder(later).read_info()
    earlier = earlier_run(str(named), later, info)
    if earlier is None:
        words = {LAST: "can be compared with it", LAST_GOOD: "passed and can be compared with it"}[str(named)]
        raise UsageError(f"no run named {info.name} beside {later} came before it and {words}: name a run folder")
    return compare_folders(earlier, later, settings)


def _of_handlers(
    settings: Settings, other: str, runs: tuple[Path, ...], seconds: float, console: Console
) -> Comparison:
    if runs:
        raise UsageError(f"--with compares two handlers, so no run folder can be named: leave {runs[0]} out")
    check_live(settings)
    corpus = build_with_progress(settings, console, seconds + _START_SECONDS)
    opening = f"Firing  {len(corpus)} cases at {settings.authorizer.handler} and {other} by turns, for {seconds:g} s"
    say(console, opening)
    try:
        with progress_bar(console, "Firing", seconds, counts=False) as advance:
            return compare_live(settings, other, corpus, seconds, advance)
    finally:
        corpus.close()
