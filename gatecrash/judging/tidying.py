"""Which run folders a run removes at its end, where its settings say how many to keep."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from gatecrash.judging.earlier_runs import EarlierRun, command_of, earlier_runs
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.words.summary import plural, visible
from gatecrash.settings.settings import Settings


def remove_old(settings: Settings, summary: Summary, folder: Path, console: Console) -> None:
    """Remove the run folders of this name and command beyond ``output.keep``, and say so.

    What was measured is not lost because of a folder that can't be removed: that is told, and no more.
    """
    if settings.output.keep is None:
        return
    command = command_of(folder)
    earlier = [run for run in earlier_runs(folder, summary.info) if run.command == command]
    old = superfluous(earlier, settings.output.keep - 1, needs_good=summary.verdict.exit_code != ExitCode.PASS)
    removed = 0
    for run in old:
        try:
            shutil.rmtree(run.place)
        except OSError as error:
            sentence = f"{run.place} could not be removed, though output.keep asks for it: {error.strerror or error}"
            console.print(f"Kept  {visible(sentence)}", highlight=False, markup=False, soft_wrap=True)
        else:
            removed += 1
    if removed:
        sentence = f"{plural(removed, 'older run')} named {summary.info.name}: output.keep is {settings.output.keep}"
        console.print(f"Removed  {visible(sentence)}", highlight=False, markup=False, soft_wrap=True)


def superfluous(earlier: Iterable[EarlierRun], keep: int, *, needs_good: bool) -> list[EarlierRun]:
    """Return which of the runs before a run can go when ``keep`` of them are to be kept, the newest first.

    Never the newest good one, as long as the run itself ``needs_good`` since it is none, nor the newest good one that
    the run can be compared with: the next run needs it for ``last-good``. One that isn't finished stays too.
    """
    newest = sorted(earlier, key=lambda run: run.key, reverse=True)
    good = [run for run in newest if run.is_good]
    spared = [*good[:1], *[run for run in good if run.is_comparable][:1]] if needs_good else []
    return [run for run in newest[keep:] if run.is_finished and run not in spared]
