"""The house as it stands on disk: its modules, what each imports, and the rooms (folders) that they lie in.

A module is named by its place, ``reports.run.summary``, whatever its import name is.
"""

import ast
import sys
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The folders at the top level that are product code; all are packages of one name.
FOLDERS = ("authorizers", "generators", "firing", "locustfiles", "reports", "gatecrash")
NAME = "gatecrash"
PATHS = [path for path in sorted(ROOT.rglob("*.py")) if not {".venv", "build"} & set(path.parts)]


def top(name):
    return name.partition(".")[0]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def python_files(folder):
    """The Python files below a folder, links not followed, so that each is there once."""
    for path in sorted((ROOT / folder).iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from python_files(path)
        elif path.suffix == ".py":
            yield path


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache
def modules():
    """Every module of the product: its name by place -> its file."""
    return {module_name(path): path for folder in FOLDERS for path in python_files(folder)}


@lru_cache
def imports_of(path):
    """Every name that a file imports, anywhere in it, in its order; for names out of a module, both."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def foreign(path):
    """Imported packages that are neither Python's nor this project's."""
    return {top(name) for name in imports_of(path)} - set(sys.stdlib_module_names) - {NAME}


@lru_cache
def own(path):
    """The modules of ours that a file imports; a package only where it isn't on the way to one of its modules."""
    names = {name.removeprefix(f"{NAME}.") for name in imports_of(path) if top(name) == NAME}
    names = {name if top(name) in FOLDERS else f"{NAME}.{name}" for name in names} & modules().keys()
    return frozenset(name for name in names if not any(other.startswith(f"{name}.") for other in names))


def room(name):
    """The folder of a module: ``reports/run``."""
    return relative(modules()[name].parent)


def imports_of_modules():
    """Which modules each module imports."""
    return {name: own(path) - {name} for name, path in modules().items()}


def imports_of_rooms(parents=()):
    """Which rooms each room imports; those within one of ``parents`` are a part of it."""

    def outer(name):
        place = room(name)
        return next((parent for parent in parents if place.startswith(f"{parent}/")), place)

    graph = {}
    for name, others in imports_of_modules().items():
        graph.setdefault(outer(name), set()).update(map(outer, others))
    return {place: others - {place} for place, others in graph.items()}


def cycle(graph):
    """One cycle in a graph of names, as a list, or None."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return None
        path.append(name)
        for other in sorted(graph[name]):
            if (around := visit(other)) is not None:
                return around
        path.pop()
        done.add(name)
        return None

    return next((around for name in sorted(graph) if (around := visit(name)) is not None), None)
