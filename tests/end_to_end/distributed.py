"""Starting masters and workers as a person would, each with a home and a cache of its own."""

import contextlib
import os
import re
import signal
import socket
import subprocess

from tests.end_to_end.command import command, environment

SCRIPTED = ("--target", "scripted", "--set", "target.script={latency = 0.002}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Part:
    """A master or a worker that runs in a folder; ``before`` stands in front of its command."""

    def __init__(self, folder, *arguments, before=()):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._output = (folder / "output.txt").open("w+")
        self.process = subprocess.Popen(
            [*before, *command(*arguments)],
            cwd=folder,
            env=environment(folder),
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self):
        return (self.folder / "output.txt").read_text()

    def wait(self, seconds=120):
        return self.process.wait(seconds)

    def end(self):
        """End what still runs of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._output.close()


@contextlib.contextmanager
def parts():
    """Give a function that starts a part; whatever was started is ended."""
    started = []

    def start(*arguments, **options):
        started.append(Part(*arguments, **options))
        return started[-1]

    try:
        yield start
    finally:
        for part in reversed(started):
            part.end()


def process_ids(output):
    """Return the process ids of the workers that a master told of."""
    return [int(number) for number in re.findall(r"\(process (\d+)\) joined", output)]
