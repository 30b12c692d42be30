"""docs/reference/settings.md: every section and key of gatecrash.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from scripts.reference.commands_page import flags_by_key
from scripts.reference.markdown import code, page, paragraphs, prose, table
from scripts.reference.settings_schema import settings_schema

_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "table",
}
_LIMITS: Final = {
    "exclusiveMinimum": "more than {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "less than {}",
    "maximum": "at most {}",
    "minLength": "at least {} character",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "of the form `{}`",
}
_OPENING: Final = """
`gatecrash init` writes a `gatecrash.toml` with every key, its meaning and its default, all commented out. gatecrash
reads the file in the current folder, or the one that `--config` names. Names of files are meant from the folder of the
settings file.

`gatecrash init --schema` puts [the schema of gatecrash.toml](../../gatecrash/schemas/settings.schema.json) beside it.
Editors that know Taplo (Even Better TOML for Visual Studio Code, and others) then complete keys, explain them and mark
mistakes, where the settings begin with the line `#:schema ./gatecrash.schema.json`. The schema is stricter than
gatecrash in one thing: gatecrash takes a number in quotes for a number. How [thresholds](../thresholds.md) are written
it doesn't know.

Every key can be set on the command line by `--set section.key=value`, where the value is TOML or else text, and some by
a flag of their own. What is given there wins over the file. A key that isn't set has its default: to have *not set*,
leave the key out. An unknown key is a mistake.
"""


def render() -> bytes:
    """Return the page's content."""
    return page("Settings: gatecrash.toml", _lines())


def _lines() -> Iterator[str]:
    yield from _OPENING.strip("\n").splitlines()
    yield ""
    flags = flags_by_key()
    for section, schema in settings_schema()["properties"].items():
        yield f"## {section}"
        yield ""
        yield from paragraphs(schema.get("description", ""))
        rows = [
            (
                f'<a id="{section}.{name}"></a>{code(name)}',
                _type(key),
                _default(key),
                prose(key.get("description", "")),
                ", ".join(map(code, flags.get(f"{section}.{name}", ()))),
            )
            for name, key in schema["properties"].items()
        ]
        yield from table(("key", "type", "default", "meaning", "flag"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " or ".join(code(json.dumps(value)) for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}{_limits(schema)}"
    if kind == "object" and isinstance(inner := schema.get("additionalProperties"), dict):
        return f"table of {_type(inner)}"
    return f"{_TYPES.get(str(kind), 'any value')}{_limits(schema)}"


def _limits(schema: Mapping[str, Any]) -> str:
    limits = [form.format(_number(schema[word])) for word, form in _LIMITS.items() if word in schema]
    return f", {' and '.join(limits)}" if limits else ""


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _default(schema: Mapping[str, Any]) -> str:
    if "default" not in schema:
        return "not set"
    return code(json.dumps(schema["default"]))
