"""The main job: gateway, corpus, firing, judgement, report; and an orderly end whatever happens on the way."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from rich.console import Console

from gatecrash.authorizers.errors import USAGE_EXIT_CODE, UsageError
from gatecrash.authorizers.targets.local import LOOPBACK, LocalGateway, reachable
from gatecrash.generators.corpus import Corpus
from gatecrash.judging.judge import judge_and_render
from gatecrash.planning.plans import prepare_corpus
from gatecrash.reports.live.metrics_settings import METRICS_LOG
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.recording.workers import WORKERS_LOG
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import RUN, RunFolder
from gatecrash.reports.run.progress import PROGRESS
from gatecrash.reports.words.spelling import plural, visible
from gatecrash.running.listening import Listening, place_to_listen
from gatecrash.running.live_view import LiveView
from gatecrash.running.locust_process import ERRORS, LOG, PLAN, LocustProcess
from gatecrash.running.memory import MemoryLog
from gatecrash.scenarios.scenario import Scenario
from gatecrash.settings.settings import Settings
from gatecrash.terminal import progress_bar, say

_POLL_SECONDS: Final = 0.25
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 30.0


class SignalledError(Exception):
    """A person or a job scheduler wants the run to end."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@contextmanager
def signals_raise() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into SignalledError."""

    def raise_it(number: int, _frame: FrameType | None) -> None:
        raise SignalledError(signal.Signals(number).name)

    old = {number: signal.signal(number, raise_it) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def run(scenario: Scenario, console: Console, *, master: bool = False) -> tuple[Report, Path]:
    """Carry a run under load out and return its report and folder; as a ``master`` it waits for workers, which fire.

    Raises UsageError before anything is fired when the settings can't work. After that whatever happens ends with
    a report: signals, a gateway or a worker that dies.
    """
    settings = scenario.settings
    place = place_to_listen(settings) if master else None
    corpus = build_with_progress(settings, console, scenario.seconds)
    folder = RunFolder.create(Path(settings.output.runs), settings.output.name, datetime.now(UTC))
    plan = scenario.plan(corpus, folder.path)
    corpus.close()
    target = plan.info.target
    at = target.handler or target.endpoint or target.kind
    what = target.function or settings.authorizer.name
    say(console, f"{scenario.opening(plan)} at {what} ({target.kind}: {at})")
    try:
        gateway, plan = start_gateway(plan, place.host if place is not None else LOOPBACK)
    except UsageError:
        _remove_empty(folder.path)
        raise
    try:
        if place is not None:
            workers = plural(place.workers, "worker")
            say(console, f"Waiting for {workers} at {place.host}:{place.port}, at most {place.wait:g} s")
        ended = fire(plan, settings.load.processes, gateway, console, folder, scenario.name, place)
    finally:
        if gateway is not None:
            gateway.close()
    if not (folder.path / RUN).exists():
        folder.write_info(plan.info.starting_now())
    if ended:
        folder.write_state(replace(folder.read_state(), **ended))
    return judge_and_render(folder), folder.path


def build_with_progress(settings: Settings, console: Console, needed: float) -> Corpus:
    """Build the corpus under a progress bar; its credentials must live for ``needed`` seconds."""
    with progress_bar(console, "Building the corpus", settings.corpus.cases) as advance:
        corpus = prepare_corpus(settings, needed, advance)
    manifest = corpus.manifest
    # Where devices and carriers leave nothing to vary, several cases are the same request.
    distinct = "" if manifest.distinct == manifest.cases else f" ({manifest.distinct} distinct requests)"
    say(console, f"Corpus  {manifest.cases} cases{distinct} of seed {manifest.seed}, digest {manifest.digest}")
    return corpus


def start_gateway(plan: Plan, host: str = LOOPBACK) -> tuple[LocalGateway | None, Plan]:
    """Start the gateway that a plan asks for, and return it with the plan that fires at it."""
    settings: Mapping[str, Any] | None = plan.target.get("gateway")
    if settings is None:
        return None, plan
    gateway = LocalGateway(reachable(settings, host))
    return gateway, replace(plan, target=gateway.target_of(plan.target))


def fire(
    plan: Plan,
    processes: int,
    gateway: LocalGateway | None,
    console: Console,
    folder: RunFolder,
    entry: str = "steady",
    place: Listening | None = None,
) -> dict[str, Any]:
    """Have Locust fire a plan by an entry file, and return what the recorder can't know of how the run ended."""
    with signals_raise():
        locust = LocustProcess(plan, processes, entry, place)
        try:
            try:
                with LiveView(console, plan) as view:
                    ended = _follow(locust, gateway, plan, view, console, is_master=place is not None)
            except SignalledError as signalled:
                ended = {"stopped_by": signalled.name}
                say(console, f"Stopping on {signalled.name}: the report follows")
                _stop(locust)
            exit_code = locust.exit_code
            if not folder.path.is_dir():
                raise UsageError(f"the run folder {folder.path} is gone: nothing of this run was kept")
            if exit_code == USAGE_EXIT_CODE and not (folder.path / RUN).exists():
                sentence = _last_line(locust.errors()) or "Locust could not start"
                left = (PLAN, LOG, ERRORS, PROGRESS, WORKERS_LOG, METRICS_LOG)
                _remove_empty(folder.path, *left)
                raise UsageError(sentence)
        finally:
            locust.close()
    state = folder.read_state()
    if not ended and not state.complete and not state.workers_lost and not state.aborted_by:
        ended = {"incidents": (*state.incidents, f"Locust ended with exit code {exit_code}")}
    return ended


def _follow(
    locust: LocustProcess,
    gateway: LocalGateway | None,
    plan: Plan,
    view: LiveView,
    console: Console,
    *,
    is_master: bool,
) -> dict[str, Any]:
    started = time.monotonic()
    limit = plan.length + plan.patience + _START_SECONDS + _END_SECONDS
    memory = MemoryLog(
        Path(plan.run_folder), plan.length, locust.process_id, gateway.process_id if gateway is not None else None
    )
    news = _News(locust, console, (METRICS_LOG, WORKERS_LOG) if is_master else (METRICS_LOG,))
    while not locust.wait(_POLL_SECONDS):
        news.show()
        if (progress := locust.progress()) is not None:
            view.show(progress)
            view.show_search()
            memory.look(progress["elapsed"])
        elif is_master:
            # Nobody knows how long workers take to join and to build the corpus; Locust waits, and ends.
            started = time.monotonic()
        if gateway is not None and (code := gateway.exit_code) is not None:
            _stop(locust)
            return {"stopped_by": f"the end of the gateway ({_how(code)})"}
        if time.monotonic() - started > limit:
            _stop(locust)
            return {"stopped_by": f"its time limit of {limit:.0f} s"}
    news.show()
    return {}


class _News:
    """Prints the sentences that Locust's process adds to files of the run folder, each once."""

    def __init__(self, locust: LocustProcess, console: Console, names: Iterable[str]) -> None:
        self._locust = locust
        self._console = console
        self._printed = dict.fromkeys(names, 0)

    def show(self) -> None:
        """Print what is new."""
        for name, printed in self._printed.items():
            sentences = self._locust.sentences(name)[printed:]
            self._printed[name] += len(sentences)
            for sentence in sentences:
                say(self._console, f"  {visible(sentence)}")


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _stop(locust: LocustProcess) -> None:
    """Let Locust end in order; a second signal ends the waiting."""
    try:
        locust.stop()
        locust.wait(_END_SECONDS)
    except SignalledError:
        locust.stop(signal.SIGKILL)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("gatecrash: ") if lines else ""


def _remove_empty(path: Path, *names: str) -> None:
    """Remove the folder of a run that never began."""
    for name in names:
        (path / name).unlink(missing_ok=True)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
