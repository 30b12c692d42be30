"""Runs the commands of a page in their order, in a folder that holds the files which the page names."""

import csv
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from tests.architecture.house import FOLDERS
from tests.documentation import exceptions
from tests.documentation.pages import ELLIPSIS, ROOT, Block, Command, blocks_of, commands_of
from tests.documentation.parsing import parse, words_of
from tests.documentation.screens import RUN_NAME, expected_code, missing
from tests.end_to_end.command import environment

FIXTURES = Path(__file__).with_name("fixtures")
TUTORIAL = "docs/tutorial.md"
_PASSWORDS = "--credentials password --table devices.csv"
# What "…" stands for where a page leaves out flags that it has shown before.
_LEFT_OUT = {"--credentials": f"{_PASSWORDS}", "--handler": f"--handler authorizer.py:handler {_PASSWORDS}"}
# Flags that make a command short and leave what it does as it is; the last value of a flag counts.
_SHORT_LOAD = "--set load.duration=3 --warm-up 0.5 --rate 80 --cases 60"
# Two short runs on a busy machine tell nothing of speed.
_SHORT_COMPARISON = "compare.latency=10 compare.achieved_rate=1 thresholds.too_few=skip"
# Beside it what a busy machine adds is little; so many environments have no cold start under that load.
_SHORT_DELAY = "authorizer.faults={latency=0.1} authorizer.environments=8"
_TRIES = 3
_PAGES_AT_ONCE = 2
_SHORT_CAPACITY = "capacity.probe_seconds=2 capacity.warm_up=0.5"
_SHORT_SCENARIOS = "spike.before=2 spike.after=3 spike.within=1 spike.fleet=60 soak.duration=4"
_PORT = re.compile(r"\b4566\b")
_PATIENCE = 120
_LONGEST = re.compile(r"^  all answered .* ~?([\d.,]+)$", re.MULTILINE)
_STARVED_MILLISECONDS = 2000


def _had_no_time(screen: str) -> bool:
    """Say whether some answer took seconds: no authorizer of the pages takes more than a moment by itself."""
    longest = (float(value.replace(",", "")) for value in _LONGEST.findall(screen))
    return max(longest, default=0.0) > _STARVED_MILLISECONDS


def settings_flags(assignments: str) -> str:
    return " ".join(f"--set {assignment}" for assignment in assignments.split())


SHORTENED = {
    "run": f"{_SHORT_LOAD} {settings_flags(f'{_SHORT_SCENARIOS} {_SHORT_COMPARISON} {_SHORT_DELAY}')}",
    # Phases that need a gateway add nothing to what the pages show, but where there is nothing else.
    "fuzz": "--drawn 20 --seconds 3 --gateway-seconds 0",
    "fuzz behind the gateway": "--drawn 20 --seconds 3 --gateway-seconds 1",
    "capacity": f"--seconds 9 --cases 20 --start-rate 40 --max-rate 40 {settings_flags(_SHORT_CAPACITY)}",
    "compare --with": f"--seconds 2 {settings_flags(_SHORT_COMPARISON)}",
    "plan": f"{_SHORT_LOAD} {settings_flags(_SHORT_CAPACITY)} --set capacity.seconds=9 --set capacity.max_rate=40",
    "locust": "--duration 2 --warm-up 0.5 --rate 40",
}


def final_files(page: str) -> dict[str, str]:
    """Return the files that a page's reader has at its end."""
    files: dict[str, str] = {}
    for block in blocks_of(page):
        if block.file:
            files[block.file] = applied(block, files.get(block.file, ""))
    return files


def applied(block: Block, text: str) -> str:
    """Return a file's text after a block: the block itself, or for a diff the text with its change made."""
    if block.language != "diff":
        return block.text
    lines = block.text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(old) == 1, f"{block}: what is to be changed stands {text.count(old)} times in {block.file}"
    return text.replace(old, new)


def completed(text: str) -> str:
    """Return a command with the flags that its page leaves out, as "…"."""
    if not text.endswith(ELLIPSIS):
        return text
    text = text.removesuffix(ELLIPSIS).rstrip()
    last = text.rsplit(" ", 1)[-1]
    if last in _LEFT_OUT:
        return f"{text.removesuffix(last)}{_LEFT_OUT[last]}"
    handler = "" if "--handler" in text or "--target" in text else "--handler authorizer.py:handler "
    return f"{text} {handler}{_PASSWORDS}"


def shortened(text: str) -> str:
    """Return a command with the flags that make it short."""
    words = words_of(text)
    if words[:1] == ["locust"]:
        return text if "--plan" in words or "--worker" in words else f"{text} {SHORTENED['locust']}"
    if words[:1] != ["gatecrash"]:
        return text
    if "--processes" in words:
        text = f"{text} --processes 2"
    name = "compare --with" if "--with" in words else "fuzz behind the gateway" if ".mjs" in text else words[1]
    return f"{text} {SHORTENED.get(name, '')}".rstrip()


def with_port(text: str, port: int) -> str:
    """Return a command of a master or a worker with the port that both use."""
    words = words_of(text)
    return f"{text} --port {port}" if "--master" in words or words[1:2] == ["worker"] else text


class PageRun:
    """A page's folder, and what its commands left there; used as a context, which ends what still runs."""

    def __init__(self, page: str, folder: Path, cache: Path | None = None) -> None:
        self.page, self.folder, self._cache = page, folder, cache
        self._names: dict[str, str] = {}
        self._exports: list[str] = []
        self._serving: list[subprocess.Popen[str]] = []
        self._port, self._master_port = free_port(), free_port()
        self._screens: list[str] = []
        self._put_files()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._serving:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=_PATIENCE)

    def _put_files(self) -> None:
        if self.page in exceptions.EMPTY_FOLDER:
            return
        for path in FIXTURES.iterdir():
            shutil.copy(path, self.folder)
        files = final_files(TUTORIAL)
        for name in ("authorizer.py", "devices.csv"):
            self.write(name, files[name])
        with (self.folder / "devices.csv").open(newline="", encoding="utf-8") as table:
            self.write("devices.jsonl", "".join(f"{json.dumps(row)}\n" for row in csv.DictReader(table)))
        # Two versions that behave alike.
        for name in ("old.py", "new.py"):
            self.write(name, files["authorizer.py"])
        if self.page in exceptions.IN_THE_SOURCE:
            for package in FOLDERS:
                shutil.copytree(ROOT / package, self.folder / package, symlinks=True)
        else:
            (self.folder / "locustfiles").symlink_to(ROOT / "locustfiles")
        for block in reversed(blocks_of(self.page)):
            if block.file and block.language != "diff":
                self.write(block.file, block.text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self) -> None:
        """Go through the page from top to bottom."""
        for block in blocks_of(self.page):
            if block.file:
                path = self.folder / block.file
                self.write(block.file, applied(block, path.read_text(encoding="utf-8") if path.exists() else ""))
            elif block.language == "python" and exceptions.lookup(exceptions.PROGRAMS, block) is exceptions.RUNS:
                self._program(block)
            elif block.language == "console":
                commands = commands_of(block)
                if not commands:
                    self._compare(block, block.text, self._screens)
                for command in commands:
                    self._command(command)

    def _program(self, block: Block) -> None:
        done = self._bash(shlex.join([sys.executable, "-c", _PORT.sub(str(self._port), block.text)]))
        assert done.returncode == 0, f"{block}\n{done.stdout}"

    def _command(self, command: Command) -> None:
        text = completed(command.text)
        if exceptions.lookup(exceptions.NOT_RUN, command):
            if words_of(text)[0] == "gatecrash":
                parse(text)
            return
        for name, fixture in (exceptions.lookup(exceptions.STAGED, command) or {}).items():
            shutil.copy(self.folder / fixture, self.folder / name)
        text = RUN_NAME.sub(lambda found: self._stored(found[0]), _PORT.sub(str(self._port), text))
        if text.startswith("export "):
            self._exports.append(text)
        elif text.endswith(" &") or exceptions.lookup(exceptions.SERVES, command):
            self._serve(
                with_port(shortened(text.removesuffix(" &")), self._master_port),
                exceptions.lookup(exceptions.SERVES, command),
            )
        else:
            expected = exceptions.lookup(exceptions.CODES, command)
            expected = expected_code(command.shown) if expected is None else expected
            done = self._tried(with_port(shortened(text), self._master_port), expected)
            self._screens.append(done.stdout)
            assert done.returncode == expected, f"{command}: exit code {done.returncode}\n{done.stdout}"
            assert "Traceback" not in done.stdout or "pytest" in text, f"{command}\n{done.stdout}"
            self._compare(command, command.shown, self._screens[-1:])
            self._learn(command.shown)

    def _compare(self, where: Block | Command, shown: str, screens: list[str]) -> None:
        if reason := exceptions.lookup(exceptions.NOT_COMPARED, where):
            assert reason
            return
        pieces = [missing(shown, said) for said in screens]
        assert None in pieces, f"{where} shows {pieces}, but what was said is:\n{screens[-1]}"

    def _learn(self, shown: str) -> None:
        """Remember which run folder of this machine is the one that the page shows."""
        for name in RUN_NAME.findall(shown):
            if made := RUN_NAME.findall(self._screens[-1]):
                self._names.setdefault(name, made[-1])

    def _stored(self, name: str) -> str:
        """Return the run folder that stands for one of the page; it is made where no command of the page did."""
        if name not in self._names:
            kind = "fuzz" if name.endswith("-fuzz") else "run"
            handler = exceptions.STORED[kind]
            command = f"gatecrash {kind} --handler {handler}:handler {_PASSWORDS} --name {name.partition('-')[2]}"
            done = self._bash(shortened(command))
            self._names[name] = RUN_NAME.findall(done.stdout)[-1]
        return self._names[name]

    def _variables(self) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        # The tests' own settings of Locust don't reach what a person starts.
        # Nobody listens where the pages send metrics to, and a second is enough to see it.
        metrics = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        variables = {**environment(self.folder), **metrics, "PATH": programs, "PYTHONPATH": ""}
        # A page that changes the source makes other cases of the same settings.
        if self._cache is not None and self.page not in exceptions.IN_THE_SOURCE:
            variables["XDG_CACHE_HOME"] = str(self._cache)
        return variables

    def _bash(self, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", "\n".join([*self._exports, text])],
            cwd=self.folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE * 2,
            check=False,
        )

    def _tried(self, text: str, expected: int) -> subprocess.CompletedProcess[str]:
        """Run a command again that says what it measured is the machine's doing, for that tells nothing of the page."""
        for _ in range(_TRIES):
            done = self._bash(text)
            is_invalid = done.returncode == 4 and "The measurement can't be trusted" in done.stdout
            if done.returncode == expected or not (is_invalid or _had_no_time(done.stdout)):
                break
        return done

    def _serve(self, text: str, sign: str | None) -> None:
        """Start a command that runs until it is stopped, and wait for what it says when it is ready."""
        path = self.folder / f"serving-{len(self._serving)}.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {text}"],
                cwd=self.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._serving.append(process)
        ends = time.monotonic() + _PATIENCE
        while sign is not None and sign not in path.read_text():
            assert process.poll() is None, path.read_text()
            assert time.monotonic() < ends, f"{text} didn't say {sign!r}:\n{path.read_text()}"
            time.sleep(0.1)


def go_through(page: str, folder: Path, cache: Path | None = None) -> None:
    """Go through a page from top to bottom in a folder, with corpora of other pages where a cache is given."""
    with PageRun(page, folder, cache) as run:
        run.run()


@contextmanager
def all_gone_through(
    request: pytest.FixtureRequest, folders: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """Go through the pages of a module's tests, in their order and two at a time: what they start mostly waits."""
    pages = [item.callspec.params["page"] for item in request.session.items if item.path == request.path]
    pool, cache = ThreadPoolExecutor(_PAGES_AT_ONCE), folders.mktemp("cache")
    try:
        yield {page: pool.submit(go_through, page, folders.mktemp("page"), cache) for page in pages}
    finally:
        pool.shutdown(cancel_futures=True)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
