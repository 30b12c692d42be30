"""The house as it stands on disk: its modules, what each imports, and the rooms (folders) that they lie in."""

import ast
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The folders at the top level that are product code; all are packages of one name.
FOLDERS = ("authorizers", "generators", "firing", "locustfiles", "reports", "gatecrash")
NAME = "gatecrash"


def top(name):
    return name.partition(".")[0]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def python_files(folder):
    """The Python files below a folder, links not followed, so that each is there once."""
    paths = []
    for path in sorted((ROOT / folder).iterdir()):
        if path.is_symlink() or path.name == "__pycache__":
            continue
        if path.is_dir():
            paths += python_files(path)
        elif path.suffix == ".py":
            paths.append(path)
    return paths


def module_name(path):
    """The dotted name of a file of ours, by its place: ``reports.run.plan``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache
def all_modules():
    """Every module of the product: its name by place -> its file."""
    return {module_name(path): path for folder in FOLDERS for path in python_files(folder)}


@lru_cache
def imports_of(path):
    """Every module that a file imports, anywhere in it, by its full name; for names out of a module, both."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def name_by_place(name):
    """The name of something of ours by its place: ``gatecrash.reports.x`` lies in ``reports/x``."""
    inner = name.removeprefix(f"{NAME}.")
    return inner if top(inner) in FOLDERS else name


@lru_cache
def own(path):
    """The modules of ours that a file imports, by place: of a package's names those that are modules."""
    modules = all_modules()
    names = {name_by_place(name) for name in imports_of(path) if top(name) == NAME}
    found = {name for name in names if name in modules}
    # A package that is imported only for one of its modules isn't meant itself.
    return frozenset(
        name
        for name in found
        if modules[name].name != "__init__.py" or not any(other.startswith(f"{name}.") for other in found)
    )


def room(name):
    """The folder of a module, as a path: ``reports/run``."""
    return relative(all_modules()[name].parent)


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
            if (found := visit(other)) is not None:
                return found
        path.pop()
        done.add(name)
        return None

    for name in sorted(graph):
        if (found := visit(name)) is not None:
            return found
    return None
