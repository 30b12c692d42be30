"""``gatecrash init``: a commented gatecrash.toml."""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

import click
from pydantic import BaseModel

from gatecrash.authorizers.errors import UsageError
from gatecrash.settings.schema import read_published
from gatecrash.settings.settings import FILE, sections_by_name
from gatecrash.terminal import write_output

# Where Taplo looks for the schema of a TOML file.
_DIRECTIVE: Final = "#:schema"


@click.command(short_help="Write a commented gatecrash.toml.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=Path(FILE), help="file to write")
@click.option("--force", is_flag=True, help="overwrite a file that is there")
@click.option("--schema", is_flag=True, help="put the JSON Schema beside it, by which editors know the keys")
def init(*, output: Path, force: bool, schema: bool) -> int:
    """Write a settings file with every key, its meaning and its default.

    With --schema its JSON Schema is written beside it, anew where it is there already, and named in the first line of
    the settings, where Taplo and the editors that use it look.
    """
    there, content = output.exists() and not force, commented_settings()
    if there and not schema:
        raise UsageError(f"{output} is there already: name another with --output, or overwrite it with --force")
    if schema:
        beside = output.with_suffix(".schema.json")
        line = f"{_DIRECTIVE} ./{beside.name}"
        write_output(beside, read_published())
        if there:
            print(f"Wrote {beside}. {output} is there already and was left alone: begin it with the line")
            print(line)
            return 0
        content = f"{line}\n{content}"
    write_output(output, content.encode())
    print(f"Wrote {output}: uncomment what you need, then `gatecrash run`")
    return 0


def commented_settings() -> str:
    """Return every section and key with its description; all keys are commented out, so the defaults hold."""
    blocks = ["# Settings of gatecrash. Files are meant from the folder of this one.\n"]
    for section, model in sections_by_name():
        meaning = [f"# {line}".rstrip() for line in cleandoc(model.__doc__ or "").splitlines()]
        blocks.append("\n".join([*meaning, f"[{section}]", *_keys(model)]) + "\n")
    return "\n".join(blocks)


def _keys(model: type[BaseModel]) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        lines += [f"# {field.description}", f"# {name} = {_toml(default)}"]
    return lines


def _toml(value: Any) -> str:
    if value is None:
        return '""    # not set'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return f'"{value}"' if isinstance(value, str) else str(value)
