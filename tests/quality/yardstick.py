"""Does ``gatecrash fuzz`` find planted defects, and stay silent on correct authorizers?

Runs the real command on every authorizer of a set with its default settings and prints a table::

    python -m tests.quality.yardstick --set first --seeds 5

The exit code is 0 when every defect was found with a finding of the right kind and every correct authorizer ended
without any.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.quality.further import write_set

MINUTE = 60.0
SETS = Path(__file__).parent / "authorizers"
_CLAIMS = '{iss="https://issuer.example",aud="iot-devices",sub="{identity}"}'
_PROFILES = {
    "jwt": (
        "--credentials=jwt",
        "--private-key={profiles}/jwt_private.pem",
        "--set=credentials.key_id=k1",
        f"--set=credentials.claims={_CLAIMS}",
    ),
    "password": ("--credentials=password", "--table={profiles}/credentials.jsonl"),
    "signed": ("--credentials=signed", "--private-key={profiles}/signing_private.pem"),
    "apikey": (
        "--credentials=api_key",
        "--table={profiles}/apikeys.jsonl",
        '--set=credentials.query={{tenant="{{tenant}}"}}',
    ),
}


@dataclass(frozen=True)
class Row:
    """What one run on one authorizer came to. ``right`` is what the yardstick asks for."""

    name: str
    wanted: str
    seed: int
    exit_code: int
    seconds: float
    findings: list[dict[str, Any]]
    output: str

    @property
    def shown(self) -> dict[str, Any] | None:
        """The finding of the right kind; for a correct authorizer the first of any kind."""
        if self.wanted == "none":
            return self.findings[0] if self.findings else None
        fitting = [one for one in self.findings if one["kind"] == self.wanted]
        return fitting[0] if fitting else None

    @property
    def right(self) -> bool:
        """Whether the authorizer was judged rightly."""
        if self.wanted == "none":
            return self.exit_code == 0 and not self.findings
        return self.exit_code == 3 and self.shown is not None

    def line(self) -> str:
        """The row of the table."""
        shown = self.shown or {}
        others = sorted({f"{one['rule']}" for one in self.findings if one is not self.shown})
        return (
            f"{self.name:<36} {self.wanted:<17} {self.seed:>4}  {'yes' if self.right else 'NO':<5} "
            f"{shown.get('kind', '-'):<16} {shown.get('rule', '-'):<6} {shown.get('first_exchange') or '-':>8} "
            f"{self.seconds:>7.1f} {_size(shown):>4}  {' '.join(others)}"
        )


HEADER = (
    f"{'authorizer':<36} {'planted kind':<17} {'seed':>4}  {'right':<5} {'kind found':<16} {'code':<6} {'requests':>8} "
    f"{'seconds':>7} {'size':>4}  further codes"
)


def _size(finding: dict[str, Any]) -> str:
    size = finding.get("size")
    if size is None:
        return "-"
    setup = len(finding["reproducer"].get("setup", ()))
    return f"{size}+{setup}" if setup else str(size)


def arguments(profile: str, folder: Path, handler: Path) -> list[str]:
    """The command line for one authorizer, apart from seed and places."""
    flags = [flag.format(profiles=folder / "profiles") if "{profiles}" in flag else flag for flag in _PROFILES[profile]]
    flags = [flag.replace("{{", "{").replace("}}", "}") for flag in flags]
    return ["fuzz", f"--handler={handler}:handler", *flags]


def run(folder: Path, entry: dict[str, str], seed: int, extra: list[str], work: Path) -> Row:
    """Run the command on one authorizer of a set."""
    runs = work / f"{entry['id']}-{seed}"
    command = [sys.executable, "-m", "gatecrash", *arguments(entry["profile"], folder, folder / entry["file"])]
    command += [f"--seed={seed}", f"--runs={runs}", f"--cache={work / 'cache'}", *extra]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, cwd=work, check=False)
    seconds = time.monotonic() - started
    statistics = next(runs.glob("*/stats.json"), None)
    findings = json.loads(statistics.read_bytes())["findings"] if statistics else []
    return Row(entry["id"], entry["kind"], seed, done.returncode, seconds, findings, done.stdout + done.stderr)


def entries(folder: Path) -> list[dict[str, str]]:
    """The lines of a set's manifest."""
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines() if line.strip()]


def main() -> int:
    """Run what was asked for and print the table as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="sets", action="append", choices=("first", "further"))
    parser.add_argument("--folder", type=Path, action="append", default=[], help="another set, laid out as the first")
    parser.add_argument("--only", action="append", help="id of an authorizer; may be repeated")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 1 on")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time; times are true with 1 only")
    parser.add_argument("--verbose", action="store_true", help="print the whole output of runs that went wrong")
    parser.add_argument("extra", nargs="*", help="further arguments of gatecrash fuzz, after --")
    given = parser.parse_args()
    print(HEADER, flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(given.jobs) as pool:
        write_set(Path(work) / "further")
        names = given.sets or ([] if given.folder else ["first"])
        folders = [SETS / "first" if name == "first" else Path(work) / name for name in names]
        jobs = [
            (folder, entry, seed)
            for folder in [*folders, *given.folder]
            for entry in entries(folder)
            if not given.only or entry["id"] in given.only
            for seed in range(1, given.seeds + 1)
        ]
        for row in pool.map(lambda job: run(*job, given.extra, Path(work)), jobs):
            rows.append(row)
            print(row.line(), flush=True)
            if given.verbose and not row.right:
                print(row.output, flush=True)
    wrong = [row for row in rows if not row.right]
    print(
        f"{len(rows) - len(wrong)} of {len(rows)} right; slowest {max((row.seconds for row in rows), default=0):.1f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
