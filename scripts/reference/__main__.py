"""``python -m scripts.reference``: write the reference and the schema anew; ``--check`` only says what is old."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.run.folder import write_atomically
from gatecrash.settings.schema import NAME
from scripts.reference import codes_page, commands_page, files_page, settings_page, settings_schema

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "python -m scripts.reference"


def documents() -> dict[str, bytes]:
    """Return the content of every generated file by its place in the project."""
    return {
        "docs/reference/commands.md": commands_page.render(),
        "docs/reference/settings.md": settings_page.render(),
        "docs/reference/codes.md": codes_page.render(),
        "docs/reference/files.md": files_page.render(),
        f"gatecrash/schemas/{NAME}": settings_schema.render(),
    }


def stale_files(root: Path = ROOT) -> list[str]:
    """Return which generated files below a folder are missing, or are not what the code says now."""
    return [
        name
        for name, content in documents().items()
        if not (root / name).is_file() or (root / name).read_bytes() != content
    ]


@click.command()
@click.option("--check", is_flag=True, help="write nothing; exit code 1 when a file is old")
def main(*, check: bool) -> None:
    """Write docs/reference and the schema of gatecrash.toml from the code."""
    old, contents = stale_files(), documents()
    for name in old:
        if not check:
            _write(ROOT / name, contents[name])
        print(f"{'Old' if check else 'Wrote'}  {name}")
    if check and old:
        print(f"Write them anew: {COMMAND}", file=sys.stderr)
        sys.exit(1)


def _write(path: Path, content: bytes) -> None:
    if not (ROOT / "docs").is_dir():
        raise UsageError(f"there is no folder docs in {ROOT}: the reference is written in a clone of the project")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)


if __name__ == "__main__":
    main()
