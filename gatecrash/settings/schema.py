"""The JSON Schema of gatecrash.toml, for editors, as the package brings it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

NAME: Final = "settings.schema.json"


def read_published() -> bytes:
    """Return the content of the file that the package brings."""
    return files("gatecrash").joinpath("schemas", NAME).read_bytes()
