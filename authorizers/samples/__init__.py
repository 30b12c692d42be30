"""Sample authorizers: ordinary Lambda handlers to try gatecrash on."""

from pathlib import Path


def sample_path(name: str) -> Path:
    """Return where a sample's file lies."""
    return Path(__file__).resolve().parent / name
