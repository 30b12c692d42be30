"""docs/reference/commands.md: every command, its options, the keys that they stand for, and its exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import click
from pydantic import BaseModel

from gatecrash.app import commands
from gatecrash.settings.options import KeyOption
from gatecrash.settings.settings import Settings
from scripts.reference.exit_codes import EVERYWHERE, ORDER, exit_codes
from scripts.reference.markdown import code, page, paragraphs, prose, table

_NAME: Final = "gatecrash"
_DEFAULT: Final = re.compile(r"\s*\(default:? (?P<default>[^()]*)\)")
_OPENING: Final = """
Every command takes `-h` and `--help`; `gatecrash --version` says which version this is. A flag that stands for a
key of [gatecrash.toml](settings.md) wins over the file; `--set KEY=VALUE` sets any key. A flag's default is that of its
key.
"""
_EXIT_CODES: Final = """
Where several apply the worst does, in the order {order}. A run that was stopped by a signal keeps its code.
"""
_VARIABLES: Final = (
    ("GATECRASH_TRACEBACK", "when it is not empty: show the traceback of a mistake, not only its sentence"),
    ("XDG_CACHE_HOME", "where the folder `gatecrash/corpora` of the cache lies, unless `output.cache` says"),
    (
        "GITHUB_SHA, CI_COMMIT_SHA, CODEBUILD_RESOLVED_SOURCE_VERSION, GIT_COMMIT",
        "the first that is set is `output.revision`, unless that is set itself",
    ),
    ("AWS_CA_BUNDLE", "file of the certificate authorities for calls to AWS, in place of boto3's own"),
    ("REQUESTS_CA_BUNDLE", "the same, where `AWS_CA_BUNDLE` isn't set"),
)


def render() -> bytes:
    """Return the page's content."""
    return page("Commands", _lines())


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command by its words after ``gatecrash``, those of groups after their group."""
    yield from _below(commands, ())


def _below(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield " ".join((*words, name)), command
        if isinstance(command, click.Group):
            yield from _below(command, (*words, name))


def options_of(command: click.Command) -> list[click.Option]:
    """Return the options of a command that its help shows, without ``--help``."""
    return [param for param in command.params if isinstance(param, click.Option) and not param.hidden]


def key_of(option: click.Option) -> str | None:
    """Return the key of gatecrash.toml that an option stands for, None for one that stands for none."""
    return option.key if isinstance(option, KeyOption) else None


def flags_by_key() -> dict[str, list[str]]:
    """Return the flags that stand for each key, in the order of the commands, each once."""
    flags_of: dict[str, dict[str, None]] = {}
    for _, command in all_commands():
        for option in options_of(command):
            if (key := key_of(option)) is not None:
                flags_of.setdefault(key, {}).update(dict.fromkeys(option.opts))
    return {key: list(flags) for key, flags in flags_of.items()}


def default_of_key(key: str) -> Any:
    """Return the default of a key of gatecrash.toml."""
    section, _, name = key.partition(".")
    model: BaseModel = getattr(Settings(), section)
    return getattr(model, name)


def _lines() -> Iterator[str]:
    yield from _OPENING.strip("\n").splitlines()
    yield ""
    shown = list(all_commands())
    rows = [
        (f"[{code(f'{_NAME} {name}')}](#{_anchor(name)})", prose(command.short_help or "")) for name, command in shown
    ]
    yield from table(("command", "what"), rows)
    yield "## Exit codes"
    yield ""
    yield "Any command may end with these, where nothing else is said of it; below each stand all of its own."
    yield ""
    yield from table(("exit code", "when"), [(str(int(number)), prose(text)) for number, text in EVERYWHERE.items()])
    order = ", ".join(str(int(number)) for number in ORDER)
    yield from _EXIT_CODES.strip("\n").format(order=order).splitlines()
    yield ""
    yield "## Environment variables"
    yield ""
    variables = [(", ".join(map(code, names.split(", "))), prose(text)) for names, text in _VARIABLES]
    yield from table(("variable", "what"), variables)
    for name, command in shown:
        yield from _command(name, command)


def _anchor(name: str) -> str:
    return f"{_NAME} {name}".replace(" ", "-")


def _command(name: str, command: click.Command) -> Iterator[str]:
    yield f"## {_NAME} {name}"
    yield ""
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=name)))
    yield from ("```", f"{_NAME} {name} {usage}", "```", "")
    yield from paragraphs(command.help or "")
    rows = [_option(option) for option in options_of(command)]
    if rows:
        yield from table(("option", "value", "default", "what", "key"), rows)
    codes = [(str(int(number)), prose(text)) for number, text in exit_codes(name)]
    yield from table(("exit code", "when"), codes)


def _option(option: click.Option) -> tuple[str, ...]:
    key = key_of(option)
    text = (option.help or "").removesuffix(f"  [{key}]")
    default = _shown_default(option, key)
    if default:
        text = _DEFAULT.sub("", text)
    link = f"[{code(key)}](settings.md#{key})" if key else ""
    flags = ", ".join(map(code, (*option.opts, *option.secondary_opts)))
    return flags, _value(option), default, prose(text), link


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    kind = option.type
    if isinstance(kind, click.Choice):
        shown = " or ".join(code(choice) for choice in kind.choices)
    elif option.metavar:
        shown = code(option.metavar)
    elif isinstance(kind, click.types._NumberRangeBase):  # noqa: SLF001 - both ranges are of it
        shown = f"{_word(kind)}{_range(kind)}"
    else:
        shown = _word(kind)
    return shown


def _word(kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Path):
        return "file" if not kind.dir_okay else "path"
    if isinstance(kind, click.DateTime):
        return "date, `YYYY-MM-DD`"
    return {"integer": "whole number", "integer range": "whole number", "float": "number", "float range": "number"}.get(
        kind.name, kind.name
    )


def _range(kind: Any) -> str:
    lowest = f"{'more than' if kind.min_open else 'at least'} {kind.min:g}" if kind.min is not None else ""
    highest = f"{'less than' if kind.max_open else 'at most'} {kind.max:g}" if kind.max is not None else ""
    bounds = " and ".join(filter(None, (lowest, highest)))
    return f", {bounds}" if bounds else ""


def _shown_default(option: click.Option, key: str | None) -> str:
    default = default_of_key(key) if key is not None else option.default
    if isinstance(default, float):
        default = f"{default:g}"
    nothing = default is None or default in ("", (), [], {}) or isinstance(default, bool) or callable(default)
    # click marks what has no default by a value of its own.
    if nothing or type(default).__module__.startswith("click"):
        return "required" if option.required else ""
    return code(default)
