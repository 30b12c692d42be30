"""Command lines of the documentation, parsed as gatecrash parses them, without running them."""

import re
import shlex
from pathlib import Path
from typing import Any

import click

from gatecrash.app import commands
from gatecrash.settings.settings import parse_assignment, read_settings

_KEY = re.compile(r"\[(\w+\.\w+)\]$")
_ASSIGNMENT = re.compile(r"^[A-Z_]+=")


def words_of(command: str) -> list[str]:
    """Return the words of a simple command, without variables before it and the ``&`` behind it."""
    words = shlex.split(command)
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    words = words[:-1] if words and words[-1] == "&" else words
    return words[2:] if words[:3] == ["python", "-m", "gatecrash"] else words


def parse(command: str, settings_file: Path | None = None) -> None:
    """Parse a command line of gatecrash: its flags, their values, and the settings that they make.

    Raises click's UsageError or gatecrash's own, with the reason, when gatecrash would not take it.
    """
    name, *arguments = words_of(command)
    assert name == "gatecrash", command
    context = commands.make_context("gatecrash", list(arguments), resilient_parsing=False)
    group: click.Command = commands
    words = [*context._protected_args, *context.args]
    while isinstance(group, click.Group):
        name, found, words = group.resolve_command(context, words)
        assert found is not None, command
        group = found
        context = group.make_context(name, words, parent=context)
        words = [*getattr(context, "_protected_args", []), *context.args] if isinstance(group, click.Group) else []
        if isinstance(group, click.Group) and not words:
            break
    _read_settings(group, context.params, settings_file)


def _read_settings(command: click.Command, given: dict[str, Any], settings_file: Path | None) -> None:
    values: dict[str, Any] = {}
    for parameter in command.params:
        key = _KEY.search(getattr(parameter, "help", None) or "")
        value = given.get(parameter.name or "")
        if key and value not in (None, ()):
            values[key[1]] = list(value) if isinstance(value, tuple) else value
    values |= dict(parse_assignment(text) for text in given.get("assignments", ()))
    read_settings(settings_file, values)
