"""Makes the JSON Schema of gatecrash.toml, for editors: by pydantic, in the words that all of them know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from gatecrash.settings.settings import FILE, Settings, sections_by_name

# What editors of TOML read best; every word that is used means the same in later drafts.
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_DOCUMENTATION: Final = "docs/reference/settings.md"


def settings_schema() -> dict[str, Any]:
    """Return the schema as the code has it now.

    It is stricter than gatecrash in one thing, types: gatecrash takes a number in quotes for a number. It knows nothing
    of what lies in files, nor of the grammar of thresholds.
    """
    schema, models = Settings.model_json_schema(), dict(sections_by_name())
    plain = {name: _plain(value, schema["$defs"], models[name]) for name, value in schema["properties"].items()}
    return {
        "$schema": _DIALECT,
        "$id": "urn:gatecrash:settings:1",
        "title": FILE,
        "description": f"Settings of gatecrash; {_DOCUMENTATION} has them all.",
        "type": "object",
        "additionalProperties": False,
        "properties": plain,
    }


def render() -> bytes:
    """Return the content of the published file."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=True).encode("ascii") + b"\n"


def _plain(value: Mapping[str, Any], definitions: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    """Return a schema without references, without titles that repeat names, and without null, which TOML has not."""
    if "$ref" in value:
        own = {word: content for word, content in value.items() if word != "$ref"}
        value = {**definitions[str(value["$ref"]).rpartition("/")[2]], **own}
    plain: dict[str, Any] = {}
    for word, content in value.items():
        if word == "title" or (word == "default" and content is None):
            continue
        if word == "properties":
            plain[word] = {name: _plain(key, definitions, None) for name, key in content.items()}
        elif word == "anyOf":
            choices = [_plain(choice, definitions, None) for choice in content if choice.get("type") != "null"]
            # Any integer is a number.
            choices = [
                choice for choice in choices if choice != {"type": "integer"} or {"type": "number"} not in choices
            ]
            plain |= choices[0] if len(choices) == 1 else {word: choices}
        elif word in {"items", "additionalProperties"} and isinstance(content, dict):
            plain[word] = _plain(content, definitions, None)
        else:
            plain[word] = content
    if model is not None:
        for name, field in model.model_fields.items():
            default = field.get_default(call_default_factory=True)
            if default is not None:
                plain["properties"][name]["default"] = default
    return plain
